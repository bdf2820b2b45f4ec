using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Contours;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Volumes;
using FedSeg.Testing;

namespace FedSeg.Imaging.Tests.Contours;

/// <summary>An image of 3 planes, 2 mm apart, of 4 by 5 voxels of 1 mm; the first voxel lies at the patient's origin.</summary>
public sealed class StructureSetReaderTests : IDisposable
{
    private static readonly GridGeometry Grid = new(
        new Index3(3, 4, 5), new Vector3D(1, 1, 2), new Vector3D(0, 0, 0), new AxisDirections(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)));

    private static readonly (double, double)[] Square = [(0.5, 0.5), (2.5, 0.5), (2.5, 2.5), (0.5, 2.5)];
    private static readonly (double, double)[] Pixel = [(1.5, 1.5), (2.5, 1.5), (2.5, 2.5), (1.5, 2.5)];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_ContourNearAPlane_IsGivenToTheNearest()
    {
        var labels = Mapped(Read(["a"], ("a", [StructureSetFiles.Contour(2.8, Square)])));

        Assert.Equal([0, 4, 0], Enumerable.Range(0, 3).Select(plane => labels.AsSpan(20 * plane, 20).Count((byte)1)));
    }

    [Fact]
    public void Read_ContourInContour_IsAHole()
    {
        var labels = Mapped(Read(["a"], ("a", [StructureSetFiles.Contour(2, Square), StructureSetFiles.Contour(2, Pixel)])));

        Assert.Equal<byte>([0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], labels[20..40]);
    }

    [Fact]
    public void Read_TwoNamesOfOneLabel_AreUnited()
    {
        var vocabulary = new LabelVocabulary([new LabelName("kidney", ["Niere links", "Niere rechts"])]);
        var outcome = Read(vocabulary, StructureSetFiles.Build(
            "1.2", ["1.3"], ("Niere links", [StructureSetFiles.Contour(0, Square)]),
            ("NIERE RECHTS ", [StructureSetFiles.Contour(4, Pixel)])));

        Assert.Equal((4, 1), (Mapped(outcome).AsSpan(0, 20).Count((byte)1), Mapped(outcome).AsSpan(40, 20).Count((byte)1)));
    }

    [Fact]
    public void Read_ContourBetweenTwoPlanes_IsRefused() =>
        Refused(QuarantineReason.SegmentationGridMismatch, Read(["a"], ("a", [StructureSetFiles.Contour(3, Square)])));

    [Fact]
    public void Read_ContourAboveTheImage_IsRefused() =>
        Refused(QuarantineReason.SegmentationGridMismatch, Read(["a"], ("a", [StructureSetFiles.Contour(6, Square)])));

    [Fact]
    public void Read_ContourAcrossPlanes_IsRefused()
    {
        var sagittal = new DataSetBuilder()
            .Text(Tags.ContourGeometricType, "CLOSED_PLANAR")
            .Numbers(Tags.ContourData, 1, 0, 0, 1, 3, 0, 1, 3, 4, 1, 0, 4);

        Refused(QuarantineReason.SegmentationGridMismatch, Read(["a"], ("a", [sagittal])));
    }

    [Fact]
    public void Read_OpenLine_IsRefused() => Refused(
        QuarantineReason.UnsupportedSegmentation,
        Read(["a"], ("a", [StructureSetFiles.Contour(0, Square).Text(Tags.ContourGeometricType, "OPEN_PLANAR")])));

    [Fact]
    public void Read_PointsThatAreNoTriples_IsRefused() => Refused(
        QuarantineReason.UnsupportedSegmentation,
        Read(["a"], ("a", [StructureSetFiles.Contour(0, Square).Numbers(Tags.ContourData, 1, 2, 3, 4)])));

    [Fact]
    public void Read_RegionWithoutContours_IsAMissingLabel() =>
        Refused(QuarantineReason.LabelMissing, Read(["a", "b"], ("a", [StructureSetFiles.Contour(0, Square)]), ("b", [])));

    [Fact]
    public void Read_TrainedRegionsThatOverlap_IsRefused()
    {
        (string, DataSetBuilder[])[] regions =
            [("a", [StructureSetFiles.Contour(0, Square)]), ("b", [StructureSetFiles.Contour(0, Pixel)])];

        Refused(QuarantineReason.OverlappingLabels, Read(["a", "b"], regions));
        Mapped(Read(["a"], regions));
    }

    [Fact]
    public void Read_AnotherFrameOfReference_IsRefused() => Refused(
        QuarantineReason.SegmentationOfAnotherSeries,
        Read(LabelVocabulary.Of("a"), StructureSetFiles.Build("1.99", ["1.3"], ("a", [StructureSetFiles.Contour(0, Square)]))));

    /// <summary>A real planning system's file: names, references and contours are found.</summary>
    [Fact]
    public void Of_StructureSetOfPydicom_TellsNamesAndReferences()
    {
        var header = StructureSetHeader.Of(
            DicomFile.OpenHeader(Path.Combine(SharedData.Folder("dicom_conformance"), "pydicom", "rtstruct.dcm")));

        Assert.NotEmpty(header.Structures);
        Assert.All(header.Structures, structure => Assert.NotEqual("", structure.Name));
        Assert.NotEmpty(header.FrameOfReferenceUids);
    }

    private SegmentationOutcome Read(string[] labels, params (string Name, DataSetBuilder[] Contours)[] regions) =>
        Read(LabelVocabulary.Of(labels), StructureSetFiles.Build("1.2", ["1.3"], regions));

    private SegmentationOutcome Read(LabelVocabulary vocabulary, DataSetBuilder set)
    {
        DicomWriter.Write(_folder["rs.dcm"], set);
        return SegmentationReader.Read(StructureSetHeader.Of(DicomFile.OpenHeader(_folder["rs.dcm"])), Grid, "1.2", vocabulary);
    }

    private static byte[] Mapped(SegmentationOutcome outcome) => Assert.IsType<SegmentationOutcome.Mapped>(outcome).Labels.Labels;

    private static void Refused(QuarantineReason reason, SegmentationOutcome outcome) =>
        Assert.Equal(reason, Assert.IsType<SegmentationOutcome.Refused>(outcome).Reason);
}
