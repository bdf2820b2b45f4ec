using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Segments;

namespace FedSeg.Imaging.Tests.Segments;

public sealed class SegmentationReaderTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Read_Fractional_TakesVoxelsFromHalfOfTheMaximumOn()
    {
        var outcome = Read(SegmentationFiles.Build("FRACTIONAL", 8, ["a"], [(1, 1)], [0, 99, 100, 200, 255, 1]), "a");

        Assert.Equal<byte>([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0], Mapped(outcome));
    }

    [Theory]
    [InlineData("PROBABILITY", 0.8, 0.2, new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0 })]
    [InlineData("OCCUPANCY", 0.8, 0.2, new byte[] { 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0 })]
    public void Read_FractionsOfEitherType_AreHeldAgainstThatTypesThreshold(string type, double probability, double occupancy, byte[] expected)
    {
        var file = SegmentationFiles.Build("FRACTIONAL", 8, ["a"], [(1, 1)], [0, 40, 100, 200, 255, 1]).Text(Tags.SegmentationFractionalType, type);

        var outcome = Read(file, new SegmentationOptions { ProbabilityThreshold = probability, OccupancyThreshold = occupancy }, "a");

        Assert.Equal(expected, Mapped(outcome));
    }

    [Fact]
    public void Read_FractionsOfNoType_AreRefused()
    {
        var file = SegmentationFiles.Build("FRACTIONAL", 8, ["a"], [(1, 1)], [0, 99, 100, 200, 255, 1]).Text(Tags.SegmentationFractionalType, "CERTAINTY");

        Assert.Contains("(0062,0010)", Assert.Throws<DicomException>(() => Read(file, "a")).Message);
    }

    [Fact]
    public void Read_FractionsWithoutAMaximum_AreRefused()
    {
        var file = SegmentationFiles.Build("FRACTIONAL", 8, ["a"], [(1, 1)], [0, 99, 100, 200, 255, 1]).Numbers(Tags.MaximumFractionalValue, 0);

        Assert.Contains("(0062,000E)", Assert.Throws<DicomException>(() => Read(file, "a")).Message);
    }

    [Fact]
    public void Read_LabelMapOfSixteenBits_MapsNumbersToClassesAndLeavesOthersOut()
    {
        var outcome = Read(
            SegmentationFiles.Build("LABELMAP", 16, ["x", "b", "a"], [(0, 0)], [1, 0, 2, 0, 3, 0, 0, 0, 3, 1, 3, 0]), "a", "b");

        Assert.Equal<byte>([0, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], Mapped(outcome));
    }

    [Fact]
    public void Read_BinaryFramesOfTwoSegments_ArePlacedBySegmentAndPosition()
    {
        // Frame 1 (segment 2, slice 1): 100000. Frame 2 (segment 1, slice 0): 000011; bits run on: 1000 0000 0011 -> 01 0C.
        var outcome = Read(SegmentationFiles.Build("BINARY", 1, ["a", "b"], [(2, 1), (1, 0)], [0x01, 0x0C]), "a", "b");

        Assert.Equal<byte>([0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 0], Mapped(outcome));
    }

    [Fact]
    public void Read_TwoTrainedLabelsInOneVoxel_IsRefused() =>
        Assert.Equal(QuarantineReason.OverlappingLabels,
            Refused(Read(SegmentationFiles.Build("BINARY", 1, ["a", "b"], [(1, 0), (2, 0)], [0x41, 0x00]), "a", "b")));

    [Fact]
    public void Read_OverlapWithASegmentThatIsNotTrained_IsNoOverlap() =>
        Assert.Equal(1, Mapped(Read(SegmentationFiles.Build("BINARY", 1, ["a", "b"], [(1, 0), (2, 0)], [0x41, 0x00]), "a"))[0]);

    [Fact]
    public void Read_SameLabelTwiceInOneVoxel_IsNoOverlap() =>
        Assert.Equal(1, Mapped(Read(SegmentationFiles.Build("BINARY", 1, ["a", "A "], [(1, 0), (2, 0)], [0x41, 0x00]), "a"))[0]);

    [Fact]
    public void Read_FrameOutsideTheVolume_IsRefused() =>
        Assert.Equal(QuarantineReason.SegmentationGridMismatch,
            Refused(Read(SegmentationFiles.Build("BINARY", 1, ["a"], [(1, 2)], [0x01, 0]), "a")));

    [Fact]
    public void Read_FrameOfOtherSpacing_IsRefused()
    {
        var set = SegmentationFiles.Build("BINARY", 1, ["a"], [(1, 0)], [0x01, 0])
            .Sequence(Tags.SharedFunctionalGroupsSequence, new DataSetBuilder()
                .Sequence(Tags.PixelMeasuresSequence, new DataSetBuilder().Numbers(Tags.PixelSpacing, 1, 0.5))
                .Sequence(Tags.PlaneOrientationSequence, new DataSetBuilder().Numbers(Tags.ImageOrientationPatient, 1, 0, 0, 0, 1, 0)));

        Assert.Equal(QuarantineReason.SegmentationGridMismatch, Refused(Read(set, "a")));
    }

    [Fact]
    public void Read_FrameWithoutPosition_IsRefused()
    {
        var set = SegmentationFiles.Build("BINARY", 1, ["a"], [(1, 0)], [0x01, 0])
            .Sequence(Tags.PerFrameFunctionalGroupsSequence, new DataSetBuilder()
                .Sequence(Tags.SegmentIdentificationSequence, new DataSetBuilder().Numbers(Tags.ReferencedSegmentNumber, 1)));

        Assert.Equal(QuarantineReason.SegmentationGridMismatch, Refused(Read(set, "a")));
    }

    [Fact]
    public void Read_AnotherFrameOfReference_IsRefused() =>
        Assert.Equal(
            QuarantineReason.SegmentationOfAnotherSeries,
            Refused(Read(SegmentationFiles.Build("BINARY", 1, ["a"], [(1, 0)], [0x01, 0]).Text(Tags.FrameOfReferenceUid, "1.2.99"), "a")));

    [Fact]
    public void Read_PartOfAConcatenation_IsRefused() =>
        Assert.Equal(
            QuarantineReason.UnsupportedSegmentation,
            Refused(Read(SegmentationFiles.Build("BINARY", 1, ["a"], [(1, 0)], [0x01, 0]).Text(Tags.ConcatenationUid, "1.2.99"), "a")));

    private SegmentationOutcome Read(DataSetBuilder set, params string[] labels) => Read(set, SegmentationOptions.Default, labels);

    private SegmentationOutcome Read(DataSetBuilder set, SegmentationOptions options, params string[] labels)
    {
        DicomWriter.Write(_path, set);
        return SegmentationReader.Read(
            SegmentationHeader.Of(DicomFile.OpenHeader(_path)), SegmentationFiles.Grid, "1.2.3.5", LabelVocabulary.Of(labels), options);
    }

    private static byte[] Mapped(SegmentationOutcome outcome) => Assert.IsType<SegmentationOutcome.Mapped>(outcome).Labels.Labels;

    private static QuarantineReason Refused(SegmentationOutcome outcome) => Assert.IsType<SegmentationOutcome.Refused>(outcome).Reason;
}
