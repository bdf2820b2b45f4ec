using System.Buffers.Binary;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;
using FedSeg.Testing;

namespace FedSeg.Imaging.Tests.Series;

public sealed class EnhancedImageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A real Siemens XA30 file: 96 sagittal frames of 128 by 128, 2 mm.</summary>
    [Fact]
    public void Read_SiemensXa30_IsOneVolumeInTheOrderOfItsPositions()
    {
        var folder = DicomFolder.Read(
            SharedData.Folder("mr_siemens_xa30_enhanced"), cancellationToken: TestContext.Current.CancellationToken);

        var series = Assert.IsType<SeriesOutcome.Usable>(VolumeChoice.Of(folder)).Series;
        var volume = VolumeReader.Read(series, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(new Index3(96, 128, 128), series.Grid.Size);
        Assert.Equal([2.0, 2.0, 2.0],
            new[] { series.Grid.SpacingMm.X, series.Grid.SpacingMm.Y, series.Grid.SpacingMm.Z }.Select(mm => Math.Round(mm, 4)));
        // Column to the back, row to the feet, so that the normal runs to the right: the slices are sorted against their frame numbers.
        Assert.Equal((0.0, 1.0, 0.0), (series.Grid.Directions.Column.X, series.Grid.Directions.Column.Y, series.Grid.Directions.Column.Z));
        Assert.True(series.Grid.Directions.Slice.X < -0.999);
        Assert.Equal(95, series.Slices[0].Frame);
        // Sum of all stored values of frame 48 and of all frames, counted from the raw bytes of the file.
        using var file = DicomFile.Open(series.Slices[0].Path);
        var raw = file.DataSet.Find(Tags.PixelData)!.Value.Span;
        var plane = series.Slices.Select((slice, index) => (slice, index)).Single(entry => entry.slice.Frame == 47).index;
        Assert.Equal(SumOf(raw.Slice(47 * 2 * 128 * 128, 2 * 128 * 128)),
            volume.Voxels.AsSpan(plane * 128 * 128, 128 * 128).ToArray().Sum(voxel => (double)voxel));
        Assert.Equal(SumOf(raw[..(96 * 2 * 128 * 128)]), volume.Voxels.Sum(voxel => (double)voxel));
    }

    /// <summary>The same three slices as single files and as one converted multi-frame file.</summary>
    [Fact]
    public void Read_LegacyConvertedCt_IsVoxelForVoxelItsSingleFrames()
    {
        var tiny = Path.Combine(SharedData.Folder("ct_3slice_dicom_seg"), "tiny_24x38x3");

        var (single, multi) = (ReadOnly(Path.Combine(tiny, "image")), ReadOnly(Path.Combine(tiny, "multiframe")));

        Assert.Equal(single.Voxels, multi.Voxels);
        Assert.Equal(single.Grid.Size, multi.Grid.Size);
        Assert.True((single.Grid.PositionMm(2, 37, 23) - multi.Grid.PositionMm(2, 37, 23)).Length < 1e-9);
    }

    [Fact]
    public void Read_SharedAndOwnGroups_TakesTheFramesOwnFirst()
    {
        Write(frames: 3, frame => Group(frame, z: 2 * frame, slope: frame == 1 ? 10 : null));

        var volume = ReadOnly(_folder[[]]);

        Assert.Equal(2, volume.Grid.SpacingMm.Z, 1e-12);
        Assert.Equal([0f, 10, 4], Enumerable.Range(0, 3).Select(z => volume.Voxels[6 * z]));
    }

    [Fact]
    public void AssembleStacks_TwoTemporalPositionsInOneFile_AreToldApart()
    {
        Write(frames: 6, frame => Group(frame, z: frame % 3, time: frame / 3 + 1));

        var series = SeriesAssembly.AssembleStacks(
            Assert.Single(DicomFolder.Read(_folder[[]], cancellationToken: TestContext.Current.CancellationToken).Images));

        Assert.Equal(["temporal position 1", "temporal position 2"], series.Stacks.Select(stack => stack.Name));
        Assert.Equal(1, series.Files);
        var second = VolumeReader.Read(
            Assert.IsType<SeriesOutcome.Usable>(series.Stacks[1].Outcome).Series, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal([6f, 8, 10], Enumerable.Range(0, 3).Select(z => second.Voxels[6 * z]));
    }

    [Fact]
    public void AssembleStacks_TwoStacksInOneFile_AreToldApart()
    {
        Write(frames: 4, frame => Group(frame, z: frame % 2, stack: frame < 2 ? "A" : "B"));

        Assert.Equal(["stack A", "stack B"],
            SeriesAssembly.AssembleStacks(
                Assert.Single(DicomFolder.Read(
                    _folder[[]], cancellationToken: TestContext.Current.CancellationToken).Images)).Stacks.Select(stack => stack.Name));
    }

    [Fact]
    public void Read_FewerGroupsThanFrames_IsRefused()
    {
        Write(frames: 3, frame => Group(frame, frame), set => set.Numbers(Tags.NumberOfFrames, 4));

        var refused = Assert.IsType<SeriesOutcome.Refused>(
            VolumeChoice.Of(DicomFolder.Read(_folder[[]], cancellationToken: TestContext.Current.CancellationToken)));
        Assert.Equal(QuarantineReason.UnsupportedImage, refused.Reason);
    }

    [Fact]
    public void Write_SegmentationOfAnEnhancedImage_NamesItsFrames()
    {
        Write(frames: 3, frame => Group(frame, z: 2 - frame));
        var series = Assert.IsType<SeriesOutcome.Usable>(
            VolumeChoice.Of(DicomFolder.Read(_folder[[]], cancellationToken: TestContext.Current.CancellationToken))).Series;
        var labels = new LabelVolume(series.Grid, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
        var description = new SegmentationDescription(
            [SegmentDescription.OfStructure("a")], SegmentAlgorithm.Manual, "", "seed",
            new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Unspecified));
        SegmentationWriter.Write(_folder["seg.dcm"], series, labels, description);

        using var file = DicomFile.Open(_folder["seg.dcm"]);
        var set = file.DataSet;

        var source = Assert.Single(set.Items(Tags.PerFrameFunctionalGroupsSequence)).Items(Tags.DerivationImageSequence)[0]
            .Items(Tags.SourceImageSequence)[0];
        Assert.Equal(1, source.WholeNumber(Tags.ReferencedFrameNumber));
        Assert.Single(set.Items(Tags.ReferencedSeriesSequence)[0].Items(Tags.ReferencedInstanceSequence));
    }

    private static double SumOf(ReadOnlySpan<byte> pixels)
    {
        double sum = 0;
        for (var i = 0; i < pixels.Length; i += 2) sum += BinaryPrimitives.ReadUInt16LittleEndian(pixels[i..]);
        return sum;
    }

    private static Volume ReadOnly(string folder) => VolumeReader.Read(
        Assert.IsType<SeriesOutcome.Usable>(
            VolumeChoice.Of(DicomFolder.Read(folder, cancellationToken: TestContext.Current.CancellationToken))).Series,
                cancellationToken: TestContext.Current.CancellationToken);

    private static DataSetBuilder Group(int frame, double z, double? slope = null, int time = 1, string stack = "1")
    {
        var content = new DataSetBuilder().Text(Tags.StackId, stack).Numbers(Tags.InStackPositionNumber, frame + 1)
            .Numbers(Tags.TemporalPositionIndex, time);
        var group = new DataSetBuilder()
            .Sequence(Tags.FrameContentSequence, content)
            .Sequence(Tags.PlanePositionSequence, new DataSetBuilder().Numbers(Tags.ImagePositionPatient, 0, 0, z));
        return slope is null ? group : group.Sequence(Tags.PixelValueTransformationSequence, Rescale(slope.Value));
    }

    private static DataSetBuilder Rescale(double slope) =>
        new DataSetBuilder().Numbers(Tags.RescaleSlope, slope).Numbers(Tags.RescaleIntercept, 0);

    /// <summary>An enhanced MR file of 2 by 3 pixels; every pixel of a frame holds its number, and the shared slope is 2.</summary>
    private void Write(int frames, Func<int, DataSetBuilder> group, Action<DataSetBuilder>? change = null)
    {
        var set = new DataSetBuilder()
            .Text(Tags.SopClassUid, "1.2.840.10008.5.1.4.1.1.4.1")
            .Text(Tags.SopInstanceUid, "1.2.3.4.1")
            .Text(Tags.StudyInstanceUid, "1.2.3")
            .Text(Tags.SeriesInstanceUid, "1.2.3.4")
            .Text(Tags.FrameOfReferenceUid, "1.2.3.5")
            .Text(Tags.Modality, "MR")
            .Numbers(Tags.NumberOfFrames, frames)
            .Numbers(Tags.Rows, 2).Numbers(Tags.Columns, 3).Numbers(Tags.SamplesPerPixel, 1)
            .Text(Tags.PhotometricInterpretation, "MONOCHROME2")
            .Numbers(Tags.BitsAllocated, 8).Numbers(Tags.BitsStored, 8).Numbers(Tags.HighBit, 7).Numbers(Tags.PixelRepresentation, 0)
            .Sequence(Tags.SharedFunctionalGroupsSequence, new DataSetBuilder()
                .Sequence(Tags.PixelMeasuresSequence, new DataSetBuilder().Numbers(Tags.PixelSpacing, 1, 1))
                .Sequence(Tags.PlaneOrientationSequence, new DataSetBuilder().Numbers(Tags.ImageOrientationPatient, 1, 0, 0, 0, 1, 0))
                .Sequence(Tags.PixelValueTransformationSequence, Rescale(2)))
            .Sequence(Tags.PerFrameFunctionalGroupsSequence, Enumerable.Range(0, frames).Select(group))
            .Bytes(Tags.PixelData, DicomVr.OB, [.. Enumerable.Range(0, frames).SelectMany(frame => Enumerable.Repeat((byte)frame, 6))]);
        change?.Invoke(set);
        DicomWriter.Write(_folder["enhanced.dcm"], set);
    }
}
