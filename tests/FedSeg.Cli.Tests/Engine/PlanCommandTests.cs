using System.Text.Json;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Engine;

public sealed class PlanCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Plan_Hippocampus_PrintsThePublishedPlanAsJson()
    {
        var file = Fingerprint(cases: 260, "[1,1,1]", "[36,50,35]", labels: 3, "MR");

        var ended = await FedsegProcess.RunAsync("plan", "--fingerprint", file, "--json", "--out", _folder["plan.json"]);

        Assert.Equal(0, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        var plan = document.RootElement;
        Assert.Equal("[40,56,40]", Compact(plan.GetProperty("patchSize")));
        Assert.Equal(9, plan.GetProperty("batchSize").GetInt32());
        Assert.Equal("[[1,1,1],[2,2,2],[2,2,2],[2,2,2]]", Compact(plan.GetProperty("strides")));
        Assert.Equal("[[3,3,3],[3,3,3],[3,3,3],[3,3,3]]", Compact(plan.GetProperty("kernels")));
        Assert.Equal("[32,64,128,256]", Compact(plan.GetProperty("features")));
        Assert.Equal("[1,1,1]", Compact(plan.GetProperty("targetSpacing")));
        Assert.Equal(19_174_400, plan.GetProperty("memoryEstimate").GetInt64());
        Assert.Equal(plan.GetProperty("planSha256").GetString(), Sha256(File.ReadAllBytes(_folder["plan.json"])));
    }

    [Fact]
    public async Task Plan_Text_IsAJobsModelAndData()
    {
        var ended = await FedsegProcess.RunAsync("plan", "--fingerprint", Fingerprint(41, "[1.6,0.7929,0.7929]", "[187,512,512]", 2, "CT"));

        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("strides: [1x1x1, 1x2x2, 2x2x2, 2x2x2, 2x2x2, 2x2x2]", ended.Output);
        Assert.Contains("patchVoxels: [64, 192, 160]", ended.Output);
        Assert.Contains("lowerClip: -41", ended.Output);
    }

    [Fact]
    public async Task Plan_NoFile_IsBadInputInOneLine()
    {
        var ended = await FedsegProcess.RunAsync("plan", "--fingerprint", _folder["missing.json"]);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("missing.json", ended.ErrorLine);
    }

    [Theory]
    [InlineData("{\"spacings\": [[1,1,1]]")]
    [InlineData("[]")]
    [InlineData("{\"spacings\":[[1,1]],\"shapes\":[[36,50,35]],\"labels\":3,\"modality\":\"MR\"}")]
    [InlineData("{\"spacings\":[[1,1,1]],\"shapes\":[[2,2,2]],\"labels\":3,\"modality\":\"MR\"}")]
    public async Task Plan_BadFile_IsBadInputInOneLineThatNamesIt(string json)
    {
        var ended = await FedsegProcess.RunAsync("plan", "--fingerprint", _folder.Write("bad.json", json), "--json");

        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.Contains("bad.json", ended.ErrorLine);
    }

    [Fact]
    public async Task Fingerprint_OfTwoPhantomHospitals_MakesOnePlan()
    {
        Assert.Equal(0, (await FedsegProcess.RunAsync("phantom", "--out", _folder["hospitals"], "--sites", "2", "--cases", "9")).ExitCode);

        var told = await FedsegProcess.RunAsync("fingerprint", "--data", _folder["hospitals"], "--out", _folder["told"], "--least-cases", "2", "--json");
        Assert.Equal(0, told.ExitCode);
        using var sites = JsonDocument.Parse(told.Output);
        string[] files = [.. sites.RootElement.GetProperty("sites").EnumerateArray().Select(site => site.GetProperty("path").GetString()!)];
        var planned = await FedsegProcess.RunAsync(["plan", "--fingerprint", .. files, "--json"]);

        Assert.Equal(0, planned.ExitCode);
        using var plan = JsonDocument.Parse(planned.Output);
        var cases = sites.RootElement.GetProperty("sites").EnumerateArray().Sum(site => site.GetProperty("cases").GetInt32());
        Assert.Equal(cases, plan.RootElement.GetProperty("plan").GetProperty("cases").GetInt32());
    }

    [Fact]
    public async Task Fingerprint_TooFewCases_TellsNothing()
    {
        Assert.Equal(0, (await FedsegProcess.RunAsync("phantom", "--out", _folder["hospitals"], "--sites", "1", "--cases", "3")).ExitCode);

        var ended = await FedsegProcess.RunAsync("fingerprint", "--data", _folder["hospitals"], "--out", _folder["told"], "--least-cases", "4");

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("fewer than 4 patients", ended.ErrorLine);
        Assert.Empty(Directory.GetFiles(_folder["told"]));
    }

    private string Fingerprint(int cases, string spacing, string shape, int labels, string modality) => _folder.Write("fingerprint.json", $$"""
        {
          "spacings": [{{string.Join(",", Enumerable.Repeat(spacing, cases))}}],
          "shapes": [{{string.Join(",", Enumerable.Repeat(shape, cases))}}],
          "labels": {{labels}},
          "modality": "{{modality}}",
          "intensity": { "mean": 99.3, "std": 39.5, "p005": -41, "p995": 176 }
        }
        """);

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element);

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
}
