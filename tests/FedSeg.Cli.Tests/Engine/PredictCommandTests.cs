using System.Text.Json;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Series;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Engine;

/// <summary>
/// <c>predict</c> and <c>evaluate</c> with a model of first weights: what it says is nonsense, but said on the right grid.
/// </summary>
public sealed class PredictCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Predict_ToDicom_IsASegmentationOfTheStudy()
    {
        var study = await StudyAsync();

        var ended = await FedsegProcess.RunAsync("predict", "--model", Model("model"), "--input", study, "--out", _folder["out.dcm"], "--json");

        Assert.Equal(0, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        Assert.Equal(["first", "second"], document.RootElement.GetProperty("labels").EnumerateArray().Select(label => label.GetProperty("label").GetString()));
        Assert.All(document.RootElement.GetProperty("labels").EnumerateArray(), label => Assert.True(label.GetProperty("volumeMl").GetDouble() >= 0));
        Assert.True(document.RootElement.GetProperty("seconds").GetDouble() > 0);
        Assert.Contains("% of the windows done", ended.Errors);
        using var dump = JsonDocument.Parse((await FedsegProcess.RunAsync("dicom", "dump", _folder["out.dcm"], "--json")).Output);
        Assert.Equal("1.2.840.10008.5.1.4.1.1.66.4", dump.RootElement.GetProperty("sopClass").GetString());
    }

    [Fact]
    public async Task Predict_ToNifti_IsWritten_AndTwoModelsWithMirrorsAnswerAsOne()
    {
        var study = await StudyAsync();

        var ended = await FedsegProcess.RunAsync(
            "predict", "--model", Model("one"), Model("two", seed: 2), "--mirror", "--keep-largest", "all", "--input", study, "--out", _folder["out.nii.gz"]);

        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("ml", ended.Output);
        Assert.Equal([0x1F, 0x8B], File.ReadAllBytes(_folder["out.nii.gz"])[..2].Select(value => (int)value));
    }

    [Fact]
    public async Task Evaluate_PhantomHospitals_ScoresEveryCaseWithAnInterval()
    {
        await StudyAsync();
        var names = await LabelsAsync();

        var ended = await FedsegProcess.RunAsync(
            "evaluate", "--model", Model("model", labels: names), Model("other", seed: 2, names), "--quality", "--data", _folder["hospitals"], "--json");

        Assert.Equal(0, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        var cases = document.RootElement.GetProperty("cases").EnumerateArray().ToList();
        Assert.Equal(Directory.GetDirectories(_folder["hospitals"]).Sum(site => Directory.GetDirectories(site).Length), cases.Count);
        Assert.All(cases, scored => Assert.Equal(names, scored.GetProperty("labels").EnumerateArray().Select(label => label.GetProperty("label").GetString())));
        Assert.All(cases, scored => Assert.InRange(scored.GetProperty("quality").GetDouble(), 0, 1));
        var quality = document.RootElement.GetProperty("quality");
        Assert.True(quality.GetProperty("aurc").GetDouble() >= quality.GetProperty("optimal").GetDouble());
        foreach (var name in names)
        {
            var summary = document.RootElement.GetProperty("summary").GetProperty(name!);
            var mean = summary.GetProperty("meanDice").GetDouble();
            Assert.InRange(mean, summary.GetProperty("ciLow").GetDouble(), summary.GetProperty("ciHigh").GetDouble());
            Assert.True(summary.TryGetProperty("meanHd95", out _));
        }
    }

    [Fact]
    public async Task Evaluate_DecidesAboutLargestPieces_AndPredictDoesItForTheSameModelOnly()
    {
        var study = await StudyAsync();
        var model = Model("model", seed: 3, await LabelsAsync());
        var evaluated = await FedsegProcess.RunAsync("evaluate", "--model", model, "--data", _folder["hospitals"], "--post-processing", _folder["decision"], "--json");
        using var document = JsonDocument.Parse(evaluated.Output);
        string[] kept = [.. document.RootElement.GetProperty("keepLargest").EnumerateArray().Select(label => label.GetString()!)];

        Assert.Equal(["all", "tumour"], kept); // first weights scatter their labels
        await PredictAsync("plain.nii", 0);
        await PredictAsync("decided.nii", 0, "--post-processing", _folder["decision"]);
        await PredictAsync("asked.nii", 0, ["--keep-largest", .. kept]);
        Assert.Equal(File.ReadAllBytes(_folder["asked.nii"]), File.ReadAllBytes(_folder["decided.nii"]));
        Assert.NotEqual(File.ReadAllBytes(_folder["plain.nii"]), File.ReadAllBytes(_folder["decided.nii"]));
        model = Model("other", seed: 2, await LabelsAsync());
        Assert.Contains("decided for other models", await PredictAsync("other.nii", 2, "--post-processing", _folder["decision"]));

        async Task<string> PredictAsync(string output, int exitCode, params string[] more)
        {
            var ended = await FedsegProcess.RunAsync(["predict", "--model", model, "--input", study, "--out", _folder[output], .. more]);
            Assert.True(ended.ExitCode == exitCode, ended.Errors);
            return ended.Errors;
        }
    }

    [Fact]
    public async Task Predict_SeriesOfAnotherModality_IsRefusedAndBothAreNamed()
    {
        var made = await FedsegProcess.RunAsync(
            "phantom", "--out", _folder["hospitals"], "--sites", "1", "--cases", "2", "--modality", "CT");
        Assert.Equal(0, made.ExitCode);
        var study = Directory.GetDirectories(Directory.GetDirectories(_folder["hospitals"])[0])[0];
        var series = Assert.Single(DicomFolder.Read(study, cancellationToken: TestContext.Current.CancellationToken).Images)[0].SeriesUid;

        var ended = await FedsegProcess.RunAsync(
            "predict", "--model", Model("model"), "--input", study, "--series", series, "--out", _folder["out.dcm"]);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains($"series {series}: the images are CT, the model was trained on MR", ended.ErrorLine, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["out.dcm"]));
    }

    [Fact]
    public async Task Evaluate_HeldBackOfARun_ScoresThoseAndNobodyElse()
    {
        await StudyAsync();
        var site = Directory.GetDirectories(_folder["hospitals"])[0];
        var patients = CaseSurvey.Of(site, cancellationToken: TestContext.Current.CancellationToken)
            .Cases.ToDictionary(surveyed => Path.GetFileName(surveyed.Directory), surveyed => surveyed.PatientKey);
        var heldBack = new RunSplit(_folder["split.json"]).HeldBack(patients.Values, 0.5, seed: 1);

        var ended = await EvaluateAsync("split.json", "--json");

        Assert.True(ended.ExitCode == 0, ended.Errors);
        using var document = JsonDocument.Parse(ended.Output);
        var cases = document.RootElement.GetProperty("cases").EnumerateArray();
        var scored = cases.Select(entry => entry.GetProperty("case").GetString()!).ToList();
        Assert.Equal(patients.Where(entry => heldBack.Contains(entry.Value)).Select(entry => entry.Key), scored);
        Assert.InRange(scored.Count, 1, 2);
        Assert.Equal(3 - scored.Count, document.RootElement.GetProperty("leftOut").GetInt32());
    }

    [Fact]
    public async Task Evaluate_SplitThatIsNotOfTheseData_IsBadInputInOneLine()
    {
        await StudyAsync();
        new RunSplit(_folder["elsewhere.json"]).HeldBack([new string('1', 64), new string('2', 64)], 0.5, seed: 1);
        _folder.Write("damaged.json", "null");

        Assert.Contains("holds back none of the patients", (await EvaluateAsync("elsewhere.json")).ErrorLine, StringComparison.Ordinal);
        Assert.Contains("can't be read any more", (await EvaluateAsync("damaged.json")).ErrorLine, StringComparison.Ordinal);
        Assert.Contains("There is no split", (await EvaluateAsync("missing.json")).ErrorLine, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["hospitals", "other"]);
        var several = await EvaluateAsync("elsewhere.json");
        Assert.Contains("split of one site", several.ErrorLine, StringComparison.Ordinal);
        Assert.Equal(2, several.ExitCode);
    }

    [Theory]
    [InlineData("missing.safetensors", "out.dcm", "missing.safetensors")]
    [InlineData("model", "out.png", "must end in .dcm, .nii.gz")]
    [InlineData("text", "out.dcm", "text")]
    public async Task Predict_WhatCanNotBe_IsBadInputInOneLine(string model, string output, string problem)
    {
        Model("model");
        _folder.Write("text", "no model at all");

        var ended = await FedsegProcess.RunAsync("predict", "--model", _folder[model], "--input", _folder["."], "--out", _folder[output]);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(problem, ended.ErrorLine);
    }

    [Fact]
    public async Task Predict_LabelThatTheModelHasNot_IsBadInput()
    {
        var ended = await FedsegProcess.RunAsync(
            "predict", "--model", Model("model"), "--input", _folder["."], "--out", _folder["out.dcm"], "--keep-largest", "third");

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("first, second", ended.ErrorLine);
    }

    private async Task<FedsegProcess> EvaluateAsync(string split, params string[] more) => await FedsegProcess.RunAsync(
    [
        "evaluate", "--model", Model("model", labels: ["kidney", "tumour"]), "--data", _folder["hospitals"],
        "--held-back", _folder[split], .. more,
    ]);

    private async Task<string> StudyAsync()
    {
        var made = await FedsegProcess.RunAsync("phantom", "--out", _folder["hospitals"], "--sites", "1", "--cases", "3");
        Assert.Equal(0, made.ExitCode);
        return Directory.GetDirectories(Directory.GetDirectories(_folder["hospitals"])[0]).Order(StringComparer.Ordinal).First();
    }

    private async Task<string?[]> LabelsAsync()
    {
        var told = await FedsegProcess.RunAsync("fingerprint", "--data", _folder["hospitals"], "--out", _folder["told"], "--least-cases", "2", "--json");
        using var document = JsonDocument.Parse(told.Output);
        return [.. document.RootElement.GetProperty("labels").EnumerateArray().Select(label => label.GetString())];
    }

    private string Model(string name, ulong seed = 1, string?[]? labels = null)
    {
        var metadata = new ModelMetadata
        {
            Architecture = new ArchitectureSpec { Name = "unet3d", Classes = (labels?.Length ?? 2) + 1, BaseFeatures = 2, Levels = 2 },
            Labels = [.. labels?.Select(label => label!) ?? ["first", "second"]],
            Preprocessing = new() { Modality = "MR", SpacingMm = [3, 3, 3], PatchVoxels = [16, 16, 16], Crop = CropRule.Nonzero },
        };
        ModelInitializer.Write(_folder[name], ArchitectureCatalog.Manifest(metadata.Architecture), seed, metadata.ToDictionary());
        return _folder[name];
    }
}
