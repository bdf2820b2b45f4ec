using System.Text.Json;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Engine;

/// <summary><c>explain</c> with models of first weights: what they find is nonsense, but it is shown and told.</summary>
public sealed class ExplainCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Explain_TwoModels_WritesOnePageOfItsOwnWithPicturesAndNumbers()
    {
        Assert.Equal(0, (await FedsegProcess.RunAsync("phantom", "--out", _folder["hospitals"], "--sites", "1", "--cases", "2")).ExitCode);
        var study = Directory.GetDirectories(Directory.GetDirectories(_folder["hospitals"])[0])[0];

        var ended = await FedsegProcess.RunAsync(
            "explain", "--model", Model("one", seed: 1), Model("other", seed: 2), "--input", study, "--out", _folder["page.html"],
            "--pictures", _folder["pictures"], "--occlusion-blocks", "1", "--steps", "2", "--json");

        Assert.True(ended.ExitCode == 0, ended.Errors);
        var page = File.ReadAllText(_folder["page.html"]);
        Assert.Contains("It stays at the hospital.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https:", page, StringComparison.Ordinal);
        var pictures = Directory.GetFiles(_folder["pictures"]);
        Assert.Equal(pictures.Length, page.Split("data:image/png;base64,").Length - 1);
        Assert.Contains(pictures, path => path.EndsWith("1-mutual-information.png", StringComparison.Ordinal));
        Assert.All(pictures, path => Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(path)[..4]));

        using var document = JsonDocument.Parse(ended.Output);
        var labels = document.RootElement.GetProperty("labels").EnumerateArray().ToList();
        Assert.Equal(["first", "second"], labels.Select(label => label.GetProperty("label").GetString()));
        Assert.InRange(document.RootElement.GetProperty("agreement").GetDouble(), 0, 1);
        // First weights find something of at least one label.
        var explained = labels.Where(label => label.TryGetProperty("randomWeights", out _)).ToList();
        Assert.NotEmpty(explained);
        Assert.All(explained, label => Assert.InRange(label.GetProperty("randomWeights").GetProperty("gradCam").GetDouble(), -1, 0.99));
        Assert.All(explained, label => Assert.InRange(label.GetProperty("meanEntropy").GetDouble(), 0, Math.Log(3)));
    }

    [Theory]
    [InlineData("page.txt", "5", "must end in .html")]
    [InlineData("page.html", "17", "--occlusion-blocks is 17")]
    public async Task Explain_WhatCanNotBe_IsBadInputInOneLine(string output, string blocks, string problem)
    {
        var ended = await FedsegProcess.RunAsync(
            "explain", "--model", Model("one", seed: 1), "--input", _folder["."], "--out", _folder[output], "--occlusion-blocks", blocks);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(problem, ended.ErrorLine, StringComparison.Ordinal);
    }

    private string Model(string name, ulong seed)
    {
        var metadata = new ModelMetadata
        {
            Architecture = new ArchitectureSpec { Name = "unet3d", Classes = 3, BaseFeatures = 2, Levels = 2 },
            Labels = ["first", "second"],
            Preprocessing = new() { Modality = "MR", SpacingMm = [3, 3, 3], PatchVoxels = [16, 16, 16] },
        };
        ModelInitializer.Write(_folder[name], ArchitectureCatalog.Manifest(metadata.Architecture), seed, metadata.ToDictionary());
        return _folder[name];
    }
}
