using System.Text.Json;

namespace FedSeg.Cli.Tests.Privacy;

/// <summary>Golden rows of shared/reference/privacy.md through the command line.</summary>
public sealed class PrivacyCommandsTests
{
    [Theory]
    [InlineData("rdp", "0.04", "1.5", "2250", "1e-5", 7.32911117143, 1e-5)]
    [InlineData("pld", "0.01", "0.7", "120", "1e-5", 2.4612381, 1e-3)]
    [InlineData("gaussian", "1", "1", "1", "1e-5", 4.3771780957, 1e-8)]
    public async Task Epsilon_GoldenRow_MatchesTheReference(string accountant, string q, string sigma, string steps, string delta, double expected, double tolerance)
    {
        var ended = await FedsegProcess.RunAsync("privacy", "epsilon", "--sampling-rate", q, "--noise-multiplier", sigma, "--steps", steps, "--delta", delta, "--accountant", accountant, "--json");

        Assert.Equal((0, ""), (ended.ExitCode, ended.Errors));
        using var document = JsonDocument.Parse(ended.Output);
        Assert.Equal(expected, document.RootElement.GetProperty("epsilon").GetDouble(), tolerance);
        Assert.Equal(accountant == "rdp", document.RootElement.TryGetProperty("order", out _));
    }

    [Theory]
    [InlineData("rdp", 1.412, 1.4165)]
    [InlineData("pld", 1.343, 1.348)]
    public async Task Noise_GoldenRow_MatchesTheReference(string accountant, double low, double high)
    {
        var ended = await FedsegProcess.RunAsync("privacy", "noise", "--epsilon", "8", "--delta", "1e-5", "--sampling-rate", "0.04", "--steps", "2250", "--accountant", accountant, "--json");

        Assert.Equal(0, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        Assert.InRange(document.RootElement.GetProperty("noiseMultiplier").GetDouble(), low, high);
    }

    [Fact]
    public async Task Epsilon_WithoutNoise_IsInfinity()
    {
        var ended = await FedsegProcess.RunAsync("privacy", "epsilon", "--sampling-rate", "0.1", "--noise-multiplier", "0", "--steps", "1", "--delta", "1e-5", "--json");

        using var document = JsonDocument.Parse(ended.Output);
        Assert.Equal("Infinity", document.RootElement.GetProperty("epsilon").GetString());
    }

    [Theory]
    [InlineData("--sampling-rate", "1.5", "the sampling rate is 1.5")]
    [InlineData("--noise-multiplier", "-1", "the noise multiplier is -1")]
    [InlineData("--steps", "-1", "the steps are -1")]
    [InlineData("--delta", "0", "--delta: 0 is not above 0")]
    [InlineData("--accountant", "guess", "'guess' is not one of: rdp, pld, gaussian")]
    [InlineData("--accountant", "gaussian", "needs --sampling-rate 1")]
    public async Task Epsilon_ImpossibleNumber_IsBadInputInOneLine(string option, string value, string expected)
    {
        var arguments = new Dictionary<string, string> { ["--sampling-rate"] = "0.1", ["--noise-multiplier"] = "1", ["--steps"] = "10", ["--delta"] = "1e-5", [option] = value };

        var ended = await FedsegProcess.RunAsync(["privacy", "epsilon", .. arguments.SelectMany(argument => new[] { argument.Key, argument.Value })]);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(expected, ended.ErrorLine);
    }
}
