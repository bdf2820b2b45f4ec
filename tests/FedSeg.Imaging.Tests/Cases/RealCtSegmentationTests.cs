using FedSeg.Testing;
using System.IO.Compression;
using System.Text;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;

namespace FedSeg.Imaging.Tests.Cases;

/// <summary>Real CT slices and segmentations written by dcmqi, with dcmqi's own NRRD of the same mask as oracle.</summary>
public sealed class RealCtSegmentationTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ct-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Read_LiverOfDcmqi_IsVoxelForVoxelItsNrrd()
    {
        var folder = Collect("liver.dcm");
        var usable = Assert.IsType<CaseOutcome.Usable>(Read("Liver")).Case;

        Assert.Equal([36233, 35645, 35220],
            Enumerable.Range(0, 3).Select(z => usable.Labels.Labels.AsSpan(z * 512 * 512, 512 * 512).Count((byte)1)).Order().Reverse());
        Assert.Equal(NrrdMask(Path.Combine(folder, "nrrd", "liver_seg.nrrd"), 512 * 512 * 3, 1), usable.Labels.Labels);
        Assert.Equal((1.0, 0.810547), (Math.Round(usable.Image.Grid.SpacingMm.Z, 6), Math.Round(usable.Image.Grid.SpacingMm.X, 6)));
        // The liver's mean was computed apart from this code, from the raw pixels, the rescale and the NRRD mask; padding (-2000 stored) is
        // air.
        var liver = usable.Image.Voxels.Where((_, i) => usable.Labels.Labels[i] == 1).Average(voxel => (double)voxel);
        Assert.InRange(usable.Image.Voxels.Min(), -1024, -1000);
        Assert.Equal(37.328932, liver, 1e-5);
    }

    [Fact]
    public void Read_OverlappingSegmentsOfDcmqi_AreRefusedTogetherAndReadAlone()
    {
        Collect("partial_overlaps.dcm");

        Assert.Equal(QuarantineReason.OverlappingLabels,
            Assert.IsType<CaseOutcome.Quarantined>(Read("GREEN", "ORANGE", "PURPLE", "LIGHT_BLUE", "DARK_BLUE")).Reason);
        Assert.IsType<CaseOutcome.Usable>(Read("GREEN"));
    }

    [Theory]
    [InlineData("GREEN", 1, 1)]
    [InlineData("ORANGE", 2, 2)]
    [InlineData("PURPLE", 3, 3)]
    [InlineData("LIGHT_BLUE", 1, 4)]
    [InlineData("DARK_BLUE", 1, 5)]
    public void Read_EachOverlappingSegmentOfDcmqi_IsVoxelForVoxelItsNrrd(string label, int file, int value)
    {
        var folder = Collect("partial_overlaps.dcm");

        var usable = Assert.IsType<CaseOutcome.Usable>(Read(label)).Case;

        Assert.Equal(NrrdMask(Path.Combine(folder, "nrrd", $"partial_overlaps-{file}.nrrd"), 512 * 512 * 3, value), usable.Labels.Labels);
    }

    [Fact]
    public void Read_TinyBinaryAndLabelMapsOfDcmqi_AreVoxelForVoxelTheirNrrd()
    {
        var folder = Path.Combine(SharedData.Folder("ct_3slice_dicom_seg"), "tiny_24x38x3");
        var images = DicomFolder.Read(Path.Combine(folder, "image"), cancellationToken: TestContext.Current.CancellationToken);
        var series = Assert.IsType<SeriesOutcome.Usable>(VolumeChoice.Of(images)).Series;
        const int Plane = 24 * 38;
        var drawn = NrrdMask(Path.Combine(folder, "nrrd", "label.nrrd"), 3 * Plane, 1);
        byte[] middle = drawn[Plane..(2 * Plane)], empty = new byte[Plane];

        Assert.Equal(315, middle.Count(voxel => voxel == 1));
        Assert.Equal(drawn, Labels("seg/label.seg"));
        // The sparse maps hold the same shape in the outer planes; the frame that they leave out is background, whatever their padding
        // value.
        Assert.Equal([.. middle, .. empty, .. middle], Labels("sparse-labelmap-noppv.dcm"));
        Assert.Equal([.. middle, .. empty, .. middle], Labels("sparse-labelmap-ppv5.dcm"));

        byte[] Labels(string file)
        {
            var segmentation = SegmentationObject.In(DicomFile.OpenHeader(Path.Combine(folder, file)))!;
            Assert.True(segmentation.RefersTo(images.Images[0]));
            var outcome = SegmentationReader.Read(segmentation, series.Grid, series.FrameOfReferenceUid, LabelVocabulary.Of("Liver"));
            return Assert.IsType<SegmentationOutcome.Mapped>(outcome).Labels.Labels;
        }
    }

    private string Collect(string segmentation)
    {
        var folder = SharedData.Folder("ct_3slice_dicom_seg");
        foreach (var file in Directory.GetFiles(Path.Combine(folder, "ct")).Append(Path.Combine(folder, "seg", segmentation)))
        {
            File.Copy(file, Path.Combine(_directory, Path.GetFileName(file)));
        }

        return folder;
    }

    private CaseOutcome Read(params string[] labels) =>
        new CaseReader().Read(_directory, LabelVocabulary.Of(labels), TestContext.Current.CancellationToken);

    /// <summary>One label of a gzipped NRRD as 0 and 1; its slices run in the same direction as the volume's.</summary>
    private static byte[] NrrdMask(string path, int voxels, int label)
    {
        var bytes = File.ReadAllBytes(path);
        var header = bytes.AsSpan().IndexOf("\n\n"u8);
        var wide = Encoding.ASCII.GetString(bytes, 0, header).Contains("type: short", StringComparison.Ordinal);
        using var data = new GZipStream(new MemoryStream(bytes, header + 2, bytes.Length - header - 2), CompressionMode.Decompress);
        var raw = new byte[voxels * (wide ? 2 : 1)];
        data.ReadExactly(raw);
        return [.. Enumerable.Range(0, voxels).Select(i => raw[wide ? 2 * i : i] == label ? (byte)1 : (byte)0)];
    }
}
