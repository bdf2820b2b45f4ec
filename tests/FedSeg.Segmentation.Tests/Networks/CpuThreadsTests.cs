using System.Diagnostics;
using FedSeg.Segmentation.Networks;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Networks;

public sealed class CpuThreadsTests
{
    [Theory]
    [InlineData(null, "PASSIVE")]
    [InlineData("ACTIVE", "ACTIVE")]
    public async Task WaitPolicy_OfAProgramThatComputes_IsPassiveUnlessItsStarterSaysOtherwise(string? given, string expected)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["--filter-method", $"*{nameof(ChooseDevice_ThenCompute_Computes)}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["OMP_DISPLAY_ENV"] = "TRUE", ["OMP_WAIT_POLICY"] = given },
        };
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var told = await child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(child.ExitCode == 0, await output);
        Assert.Contains($"OMP_WAIT_POLICY = '{expected}'", told);
    }

    /// <summary>What the other test starts in a process of its own.</summary>
    [Fact]
    public void ChooseDevice_ThenCompute_Computes()
    {
        using var vector = ones(2, device: ComputeDevice.Choose("cpu", get_num_threads()));
        using var sum = vector.sum();

        Assert.Equal(2, sum.item<float>());
    }
}
