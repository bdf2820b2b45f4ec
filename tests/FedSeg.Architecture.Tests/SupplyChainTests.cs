using System.Diagnostics;
using System.Text.Json;

namespace FedSeg.Architecture.Tests;

/// <summary>No package gets into a program but the one whose bytes were locked. Source: threat 26; ASVS 5.0, 15.1.2.</summary>
public sealed class SupplyChainTests
{
    private const int HashBytes = 64;
    private static readonly string Root = SourceTests.FindRoot();

    [Fact]
    public void Projects_EveryOne_HasALockWithTheHashOfEachPackage()
    {
        var projects = new[] { "src", "coordinator", "site-agent", "tests" }.SelectMany(folder => Directory.GetFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories)).ToList();

        Assert.True(projects.Count > 30, $"Only {projects.Count} projects.");
        Assert.All(projects, project => Assert.All(Locked(Path.GetDirectoryName(project)!), package =>
        {
            Assert.Matches(@"\A\d+(\.\d+)+(-[\w.]+)?\z", package.Version);
            Assert.Equal(HashBytes, Convert.FromBase64String(package.Hash).Length);
        }));
    }

    /// <summary>What was built: each package in a program has the bytes that its lock names.</summary>
    [Theory]
    [InlineData("FedSeg.Coordinator", "coordinator")]
    [InlineData("FedSeg.SiteAgent", "site-agent/agent")]
    [InlineData("FedSeg.Desk", "site-agent/desk")]
    [InlineData("FedSeg.Trainer", "site-agent/trainer")]
    [InlineData("FedSeg.Importer", "site-agent/importer")]
    [InlineData("FedSeg.Ledger.Verifier", "src/FedSeg.Ledger.Verifier")]
    public void Programs_EveryPackageInThem_IsTheLockedOne(string program, string folder)
    {
        using var built = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(BuiltAssembly.OutputOf(program), program + ".deps.json")));
        var packages = built.RootElement.GetProperty("libraries").EnumerateObject()
            .Where(library => library.Value.GetProperty("type").GetString() == "package")
            .Select(library => (library.Name, Hash: library.Value.GetProperty("sha512").GetString()));

        Assert.Empty(packages.Except(Locked(Path.Combine(Root, folder)).Select(package => ($"{package.Name}/{package.Version}", (string?)$"sha512-{package.Hash}"))));
    }

    /// <summary>A package that was exchanged at the registry, or on the way, has another hash than the lock says. Nothing is downloaded here: it lies in the cache.</summary>
    [Fact]
    public async Task Restore_PackageOfOtherBytesThanLocked_IsRefused()
    {
        var package = Locked(Path.Combine(Root, "src", "FedSeg.Federation")).Single(locked => locked.Name == "YamlDotNet");

        Assert.Equal((0, false), await RestoreAsync(package.Version, package.Hash));
        var other = Convert.FromBase64String(package.Hash);
        other[0] ^= 1;
        var (exitCode, saysWhy) = await RestoreAsync(package.Version, Convert.ToBase64String(other));
        Assert.True(exitCode != 0 && saysWhy, $"exit code {exitCode}");
    }

    [Fact]
    public void Ci_Restores_WhatIsLockedAndNothingElse() =>
        Assert.Contains("dotnet restore FedSeg.sln --locked-mode || exit 1", File.ReadAllText(Path.Combine(Root, ".ci", "run")), StringComparison.Ordinal);

    private static IReadOnlyList<(string Name, string Version, string Hash)> Locked(string folder)
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "packages.lock.json")));
        return
        [
            .. file.RootElement.GetProperty("dependencies").EnumerateObject()
                .SelectMany(framework => framework.Value.EnumerateObject())
                .Where(package => package.Value.GetProperty("type").GetString() != "Project")
                .Select(package => (package.Name, package.Value.GetProperty("resolved").GetString()!, package.Value.GetProperty("contentHash").GetString()!)),
        ];
    }

    /// <summary>Restores a project of one locked package in a folder of its own.</summary>
    private static async Task<(int ExitCode, bool NamesOtherBytes)> RestoreAsync(string version, string hash)
    {
        var folder = Directory.CreateTempSubdirectory("fedseg-restore-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "one.csproj"), $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup><TargetFramework>net10.0</TargetFramework><RestorePackagesWithLockFile>true</RestorePackagesWithLockFile></PropertyGroup>
                  <ItemGroup><PackageReference Include="YamlDotNet" Version="{version}" /></ItemGroup>
                </Project>
                """, TestContext.Current.CancellationToken);
            var locked = new { version = 1, dependencies = new Dictionary<string, object> { ["net10.0"] = new { YamlDotNet = new { type = "Direct", requested = $"[{version}, )", resolved = version, contentHash = hash } } } };
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "packages.lock.json"), JsonSerializer.Serialize(locked), TestContext.Current.CancellationToken);
            var start = new ProcessStartInfo("dotnet", ["restore", "one.csproj", "--locked-mode", "--source", folder.FullName]) { WorkingDirectory = folder.FullName, RedirectStandardOutput = true };
            using var restore = Process.Start(start)!;
            var output = await restore.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await restore.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (restore.ExitCode, output.Contains("NU1403", StringComparison.Ordinal));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
