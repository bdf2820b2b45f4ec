using System.Text.Json;
using FedSeg.Imaging.Nifti;
using FedSeg.Imaging.Phantoms;
using FedSeg.Imaging.Volumes;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Imaging;

public sealed class MetricsCommandTests : IDisposable
{
    private static readonly AxisDirections Straight = new(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0));
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Metrics_TwoBoxesAsNifti_GivesTheGoldenNumbersUnderTheirKeys()
    {
        // Case B of shared/reference/metrics.md section 4.4.
        var reference = Nifti("reference.nii.gz", Box(new(4, 4, 4), new(10, 10, 10)));
        var prediction = Nifti("prediction.nii", Box(new(4, 4, 5), new(10, 10, 12)));

        var ended = await FedsegProcess.RunAsync("metrics", "--reference", reference, "--prediction", prediction, "--json");

        Assert.Equal((0, ""), (ended.ExitCode, ended.Errors));
        using var document = JsonDocument.Parse(ended.Output);
        var label = Assert.Single(document.RootElement.GetProperty("labels").EnumerateArray());
        Assert.Equal("none", label.GetProperty("emptiness").GetString());
        var expected = new Dictionary<string, double>
        {
            ["label"] = 1, ["tp"] = 180, ["fp"] = 72, ["fn"] = 36, ["dice"] = .769231, ["iou"] = .625, ["volumeSimilarity"] = .923077,
            ["hd"] = 2, ["hd95"] = 2, ["assd"] = .506173, ["masd"] = .498164, ["nsd"] = .876543, ["surfaceDice"] = .880801, ["surfaceHd95"] = 2,
        };
        foreach (var (key, value) in expected) Assert.Equal(value, label.GetProperty(key).GetDouble(), 1e-5);
    }

    [Fact]
    public async Task Metrics_OneMapEmpty_SaysSoAndHasNoDistance()
    {
        var ended = await FedsegProcess.RunAsync(
            "metrics", "--json", "--reference", Nifti("reference.nii.gz", Box(new(4, 4, 4), new(10, 10, 10))), "--prediction", Nifti("prediction.nii.gz", new byte[4096]));

        using var document = JsonDocument.Parse(ended.Output);
        var label = Assert.Single(document.RootElement.GetProperty("labels").EnumerateArray());
        Assert.Equal(("predictionEmpty", "NaN", 0.0), (label.GetProperty("emptiness").GetString(), label.GetProperty("hd").GetString(), label.GetProperty("dice").GetDouble()));
    }

    [Fact]
    public async Task Metrics_OtherSpacingAndTolerance_AreUsed()
    {
        var reference = Nifti("reference.nii.gz", Box(new(4, 4, 4), new(10, 10, 10)));
        var prediction = Nifti("prediction.nii.gz", Box(new(4, 4, 5), new(10, 10, 12)));

        var ended = await FedsegProcess.RunAsync("metrics", "--reference", reference, "--prediction", prediction, "--spacing", "0.5,1,3", "--tolerance", "1.0", "--json");

        using var document = JsonDocument.Parse(ended.Output);
        var label = Assert.Single(document.RootElement.GetProperty("labels").EnumerateArray());
        // Two columns of half a millimetre, all within the tolerance.
        Assert.Equal((1.0, 1.0), (label.GetProperty("hd").GetDouble(), label.GetProperty("nsd").GetDouble()));
    }

    [Fact]
    public async Task Metrics_TurnedFile_IsComparedInThePatient()
    {
        var box = Box(new(4, 4, 4), new(10, 10, 10));
        var turned = new GridGeometry(new(16, 16, 16), new(1, 1, 1), new(15, 15, 0), Straight with { Row = new(0, -1, 0), Column = new(-1, 0, 0) });
        var path = _folder["turned.nii.gz"];
        NiftiWriter.Write(path, new LabelVolume(turned, [.. box.Select((_, i) => box[i / 256 * 256 + 255 - i % 256])]));

        var ended = await FedsegProcess.RunAsync("metrics", "--reference", Nifti("straight.nii.gz", box), "--prediction", path, "--json");

        using var document = JsonDocument.Parse(ended.Output);
        Assert.Equal(1, document.RootElement.GetProperty("labels")[0].GetProperty("dice").GetDouble());
    }

    [Fact]
    public async Task Metrics_FilesOnOtherGrids_AreBadInputInOneLine()
    {
        var other = _folder["other.nii.gz"];
        NiftiWriter.Write(other, new LabelVolume(new GridGeometry(new(16, 16, 17), new(1, 1, 1), new(0, 0, 0), Straight), new byte[16 * 16 * 17]));

        var ended = await FedsegProcess.RunAsync("metrics", "--reference", Nifti("reference.nii.gz", new byte[4096]), "--prediction", other);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("another grid", ended.ErrorLine);
    }

    [Theory]
    [InlineData("--spacing", "1,1")]
    [InlineData("--spacing", "1,1,0")]
    [InlineData("--tolerance", "-1")]
    public async Task Metrics_NumberThatIsNoLength_IsBadInput(string option, string value)
    {
        var file = Nifti("reference.nii.gz", new byte[4096]);

        Assert.Equal(2, (await FedsegProcess.RunAsync("metrics", "--reference", file, "--prediction", file, option, value)).ExitCode);
    }

    [Fact]
    public async Task Metrics_SegmentationWithItself_AgreesInEveryLabel()
    {
        var segmentation = PhantomSegmentation();

        var ended = await FedsegProcess.RunAsync("metrics", "--reference", segmentation, "--prediction", segmentation, "--json");

        Assert.Equal((0, ""), (ended.ExitCode, ended.Errors));
        using var document = JsonDocument.Parse(ended.Output);
        var labels = document.RootElement.GetProperty("labels").EnumerateArray().ToList();
        Assert.Equal(2, labels.Count);
        Assert.All(labels, label => Assert.Equal((1.0, 0.0, 1.0), (label.GetProperty("dice").GetDouble(), label.GetProperty("hd").GetDouble(), label.GetProperty("surfaceDice").GetDouble())));
    }

    [Fact]
    public async Task Metrics_ImageForASegmentation_IsBadInputInOneLine()
    {
        var segmentation = PhantomSegmentation();
        var image = Directory.GetFiles(Path.GetDirectoryName(segmentation)!, "*", SearchOption.AllDirectories).First(file => file != segmentation);

        var ended = await FedsegProcess.RunAsync("metrics", "--reference", segmentation, "--prediction", image);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("no segmentation", ended.ErrorLine);
    }

    private string PhantomSegmentation()
    {
        PhantomHospitals.Write(_folder["phantom"], new PhantomOptions { Sites = 1, CasesPerSite = 2 }, TestContext.Current.CancellationToken);
        // Found by what the files say.
        return Directory.GetFiles(_folder["phantom"], "*", SearchOption.AllDirectories)
            .First(file => FedSeg.Imaging.Segments.SegmentationHeader.IsSegmentation(
                FedSeg.Dicom.Reading.DicomFile.OpenHeader(file).DataSet.Text(FedSeg.Dicom.DataSets.Tags.SopClassUid)));
    }

    private static byte[] Box(Index3 from, Index3 to) =>
        [.. Enumerable.Range(0, 4096).Select(i => (i / 256, i / 16 % 16, i % 16) is var (z, y, x)
            && z >= from.Z && z < to.Z && y >= from.Y && y < to.Y && x >= from.X && x < to.X ? (byte)1 : (byte)0)];

    private string Nifti(string name, byte[] labels)
    {
        NiftiWriter.Write(_folder[name], new LabelVolume(new GridGeometry(new(16, 16, 16), new(1, 1, 1), new(0, 0, 0), Straight), labels));
        return _folder[name];
    }
}
