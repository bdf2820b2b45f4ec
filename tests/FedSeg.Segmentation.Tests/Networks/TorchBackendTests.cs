using System.Diagnostics;
using System.Text.Json;
using FedSeg.Testing;

namespace FedSeg.Segmentation.Tests.Networks;

/// <summary>The same code for both devices: the build's one switch names another native package and nothing else.</summary>
public sealed class TorchBackendTests
{
    [Fact]
    public async Task TorchBackend_Cuda_SwapsTheNativePackageAndNothingElse()
    {
        var (cpu, cuda) = (await PackagesAsync("cpu"), await PackagesAsync("cuda"));

        Assert.All(cpu.Except(cuda), package => Assert.StartsWith("libtorch-cpu-", package));
        Assert.All(cuda.Except(cpu), package => Assert.StartsWith("TorchSharp-cuda-", package));
        Assert.Single(cuda.Except(cpu));
        Assert.Contains("TorchSharp", cuda);
    }

    private static async Task<List<string>> PackagesAsync(string backend)
    {
        var project = RepositoryFile.Find("src", "FedSeg.Segmentation", "FedSeg.Segmentation.csproj");
        var start = new ProcessStartInfo("dotnet", ["msbuild", project, "-nologo", "-getItem:PackageReference", $"-p:TorchBackend={backend}"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return [.. JsonDocument.Parse(output).RootElement.GetProperty("Items").GetProperty("PackageReference").EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!)];
    }
}
