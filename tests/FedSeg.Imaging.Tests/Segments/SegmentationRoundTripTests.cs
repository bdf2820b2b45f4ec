using System.Diagnostics;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Contours;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Tests.Contours;
using FedSeg.Imaging.Tests.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Segments;

/// <summary>
/// A safety test: a mask that looks like no mirror image or transpose of itself must come back to the same places in the patient, on grids
/// that are oblique, flipped, anisotropic and not square. Positions are computed here from ImagePositionPatient, not from the code under
/// test.
/// </summary>
public sealed class SegmentationRoundTripTests : IDisposable
{
    private const int Slices = 4, Rows = 9, Columns = 7;
    private const double RowSpacing = 0.8, ColumnSpacing = 1.3, SliceSpacing = 2.5;
    private static readonly Vector3D Origin = new(-31.25, 12.5, 100.75);

    private static readonly string[] LetterF =
    [
        ".......",
        ".#####.",
        ".#.....",
        ".#.....",
        ".###...",
        ".#.....",
        ".#.....",
        ".#.....",
        ".......",
    ];

    private readonly string _directory = Directory.CreateTempSubdirectory("seg-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    public static TheoryData<string, double[]> Orientations => new()
    {
        { "axial", [1, 0, 0, 0, 1, 0] },
        { "axial, negated columns", [1, 0, 0, 0, -1, 0] },
        { "axial, negated rows", [-1, 0, 0, 0, 1, 0] },
        { "axial, turned by 180 degrees", [-1, 0, 0, 0, -1, 0] },
        { "axial, transposed", [0, 1, 0, 1, 0, 0] },
        { "sagittal", [0, 1, 0, 0, 0, -1] },
        { "coronal", [1, 0, 0, 0, 0, -1] },
        { "oblique", [0.8, 0.6, 0, -0.48, 0.64, 0.6] },
        { "oblique and flipped", [-0.8, 0.6, 0, -0.48, -0.64, 0.6] },
    };

    [Theory]
    [MemberData(nameof(Orientations))]
    public void WriteThenRead_BinaryLetterF_ComesBackToTheSamePlaceInThePatient(string name, double[] orientation) =>
        WriteThenRead(name, orientation, SegmentationKind.Binary);

    [Theory]
    [MemberData(nameof(Orientations))]
    public void WriteThenRead_LabelMapLetterF_ComesBackToTheSamePlaceInThePatient(string name, double[] orientation) =>
        WriteThenRead(name, orientation, SegmentationKind.LabelMap);

    [Theory]
    [MemberData(nameof(Orientations))]
    public void Read_LetterFAsContours_ComesBackToTheSamePlaceInThePatient(string name, double[] orientation)
    {
        var series = WriteSeries(orientation);
        var directions = DirectionsOf(orientation);
        Vector3D At(int slice, double row, double column) =>
            Origin + directions.Slice * (slice * SliceSpacing) + directions.Row * (row * RowSpacing)
                + directions.Column * (column * ColumnSpacing);

        // The letter's outline along the pixels' edges, so that no pixel's centre lies on it.
        (double Row, double Column)[] outline =
            [(0.5, 0.5), (0.5, 5.5), (1.5, 5.5), (1.5, 1.5), (3.5, 1.5), (3.5, 3.5), (4.5, 3.5), (4.5, 1.5), (7.5, 1.5), (7.5, 0.5)];
        var contours = new[] { 1, 2 }.Select(slice => new DataSetBuilder()
            .Text(Tags.ContourGeometricType, "CLOSED_PLANAR")
            .Numbers(Tags.ContourData,
                [.. outline.Select(corner => At(slice, corner.Row, corner.Column))
                    .SelectMany(point => new[] { point.X, point.Y, point.Z })]));
        var path = Path.Combine(_directory, "rs.dcm");
        DicomWriter.Write(path, StructureSetFiles.Build(series.FrameOfReferenceUid!, [series.SeriesUid], ("f", [.. contours])));

        var outcome = SegmentationReader.Read(
            StructureSetHeader.Of(DicomFile.OpenHeader(path)), series.Grid, series.FrameOfReferenceUid, LabelVocabulary.Of("f"));

        Assert.True(LabelsOfF().AsSpan().SequenceEqual(Assert.IsType<SegmentationOutcome.Mapped>(outcome).Labels.Labels), name);
    }

    private void WriteThenRead(string name, double[] orientation, SegmentationKind kind)
    {
        var series = WriteSeries(orientation);
        var labels = LabelsOfF();
        var path = Path.Combine(_directory, "seg.dcm");
        SegmentationWriter.Write(path, series, new LabelVolume(series.Grid, labels), Description("f") with { Kind = kind });

        var outcome = SegmentationReader.Read(
            SegmentationHeader.Of(DicomFile.OpenHeader(path)), series.Grid, series.FrameOfReferenceUid, LabelVocabulary.Of("f"));
        var read = Assert.IsType<SegmentationOutcome.Mapped>(outcome).Labels;
        var image = VolumeReader.Read(series, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(labels, read.Labels);
        // Every stored pixel names its own slice, row and column of acquisition: value, label and patient position must agree voxel by
        // voxel.
        for (var i = 0; i < labels.Length; i++)
        {
            var (z, y, x) = (i / (Rows * Columns), i / Columns % Rows, i % Columns);
            var acquired = AcquiredAt((int)image.Voxels[i], orientation);
            Assert.True((acquired - series.Grid.PositionMm(z, y, x)).Length < 1e-6, $"{name}: voxel {z},{y},{x} lies elsewhere");
        }

        AssertFramesLieWhereTheirLabelsAre(path, read, name);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(null)]
    public void Write_BinaryLabels_PassesDciodvfyWithoutErrors(int? voxel)
    {
        var report = Checked(SegmentationKind.Binary, voxel);

        Assert.Contains("Segmentation", report, StringComparison.Ordinal);
        Assert.DoesNotContain("Error", report, StringComparison.Ordinal);
    }

    /// <summary>
    /// Debian's dciodvfy is older than Supplement 243: it does not know the object, and takes the background's number 0 for a mistake. These two
    /// complaints, and no other.
    /// </summary>
    [Fact]
    public void Write_LabelMap_HasOnlyTheErrorsOfACheckerThatDoesNotKnowLabelMaps()
    {
        var errors = Checked(SegmentationKind.LabelMap, 100).Split('\n').Where(line => line.StartsWith("Error", StringComparison.Ordinal));

        Assert.Collection(
            errors,
            error => Assert.StartsWith("Error - SegmentNumber not monotonically increasing from one by one", error, StringComparison.Ordinal),
            error => Assert.Equal("Error - Information Object Not found", error));
    }

    private string Checked(SegmentationKind kind, int? voxel)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/dciodvfy"), "dciodvfy not found: apt-get install dicom3tools");
        var series = WriteSeries([0.8, 0.6, 0, -0.48, 0.64, 0.6]);
        var labels = new byte[Slices * Rows * Columns];
        if (voxel is { } first) (labels[first], labels[first + 60]) = (1, 2);
        var path = Path.Combine(_directory, "seg.dcm");
        SegmentationWriter.Write(path, series, new LabelVolume(series.Grid, labels), Description("a", "b") with { Kind = kind });

        var start = new ProcessStartInfo("/usr/bin/dciodvfy", [path]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var report = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return report;
    }

    [Fact]
    public void Write_LabelMap_SaysThatZeroIsBackground()
    {
        var series = WriteSeries([1, 0, 0, 0, 1, 0]);
        var path = Path.Combine(_directory, "seg.dcm");
        SegmentationWriter.Write(
            path, series, new LabelVolume(series.Grid, LabelsOfF()), Description("f") with { Kind = SegmentationKind.LabelMap });

        using var file = DicomFile.Open(path);
        var set = file.DataSet;

        Assert.Equal("1.2.840.10008.5.1.4.1.1.66.7", set.Text(Tags.SopClassUid));
        Assert.Equal([0, 1], set.Items(Tags.SegmentSequence).Select(item => item.WholeNumber(Tags.SegmentNumber)));
        Assert.Equal("125040", set.Items(Tags.SegmentSequence)[0].Items(Tags.SegmentedPropertyTypeCodeSequence)[0].Text(Tags.CodeValue));
        Assert.Equal(0, set.WholeNumber(Tags.PixelPaddingValue));
        Assert.Equal(2, set.WholeNumber(Tags.NumberOfFrames));
    }

    [Fact]
    public void Write_AnySegment_NamesItsAlgorithmAndItsSourceImages()
    {
        var series = WriteSeries([1, 0, 0, 0, 1, 0]);
        var path = Path.Combine(_directory, "seg.dcm");
        SegmentationWriter.Write(path, series, new LabelVolume(series.Grid, LabelsOfF()), Description("f"));

        using var file = DicomFile.Open(path);
        var set = file.DataSet;

        var algorithm = set.Items(Tags.SegmentSequence)[0].Items(Tags.SegmentationAlgorithmIdentificationSequence)[0];
        Assert.Equal("test", algorithm.Text(Tags.AlgorithmName));
        var instances = set.Items(Tags.ReferencedSeriesSequence)[0].Items(Tags.ReferencedInstanceSequence)
            .Select(item => item.Text(Tags.ReferencedSopInstanceUid));
        Assert.Equal(series.Slices.Select(slice => slice.SopInstanceUid), instances);
        var source = set.Items(Tags.PerFrameFunctionalGroupsSequence)[0].Items(Tags.DerivationImageSequence)[0]
            .Items(Tags.SourceImageSequence)[0];
        Assert.Equal(series.Slices[1].SopInstanceUid, source.Text(Tags.ReferencedSopInstanceUid));
        Assert.Equal("121322", source.Items(Tags.PurposeOfReferenceCodeSequence)[0].Text(Tags.CodeValue));
    }

    [Fact]
    public void Read_GridShiftedByHalfAVoxel_IsRefused()
    {
        var series = WriteSeries([1, 0, 0, 0, 1, 0]);
        var path = Path.Combine(_directory, "seg.dcm");
        SegmentationWriter.Write(path, series, new LabelVolume(series.Grid, new byte[series.Grid.VoxelCount]), Description("f"));
        var shifted = series.Grid with { OriginMm = series.Grid.OriginMm + new Vector3D(ColumnSpacing / 2, 0, 0) };

        var outcome = SegmentationReader.Read(
            SegmentationHeader.Of(DicomFile.OpenHeader(path)), shifted, series.FrameOfReferenceUid, LabelVocabulary.Of("f"));

        Assert.Equal(QuarantineReason.SegmentationGridMismatch, Assert.IsType<SegmentationOutcome.Refused>(outcome).Reason);
    }

    [Fact]
    public void Read_LabelWithoutSegment_IsRefused()
    {
        var series = WriteSeries([1, 0, 0, 0, 1, 0]);
        var path = Path.Combine(_directory, "seg.dcm");
        SegmentationWriter.Write(path, series, new LabelVolume(series.Grid, new byte[series.Grid.VoxelCount]), Description("f"));

        var outcome = SegmentationReader.Read(
            SegmentationHeader.Of(DicomFile.OpenHeader(path)), series.Grid, series.FrameOfReferenceUid, LabelVocabulary.Of("f", "g"));

        Assert.Equal(QuarantineReason.LabelMissing, Assert.IsType<SegmentationOutcome.Refused>(outcome).Reason);
    }

    private static SegmentationDescription Description(params string[] labels) =>
        new([.. labels.Select(SegmentDescription.OfStructure)], SegmentAlgorithm.Automatic, "test", "seed",
            new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Unspecified));

    private static byte[] LabelsOfF() =>
        [.. Enumerable.Range(0, Slices * Rows * Columns)
            .Select(i => IsF(i / (Rows * Columns), i / Columns % Rows, i % Columns) ? (byte)1 : (byte)0)];

    private static bool IsF(int slice, int row, int column) => slice is 1 or 2 && LetterF[row][column] == '#';

    private ImageSeries WriteSeries(double[] o)
    {
        var directions = DirectionsOf(o);
        var files = new SliceFiles(_directory);
        for (var slice = 0; slice < Slices; slice++)
        {
            var index = slice;
            files.Write(
                slice, Origin + directions.Slice * (SliceSpacing * slice), directions, Rows, Columns, (RowSpacing, ColumnSpacing),
                (row, column) => (short)((index * Rows + row) * Columns + column),
                set => set.Text(Tags.PatientName, "Canary^F").Text(Tags.StudyDate, "20260102").Text(Tags.StudyTime, "030405"));
        }

        return Assert.IsType<SeriesOutcome.Usable>(
            SeriesAssembly.Assemble(
                Assert.Single(DicomFolder.Read(_directory, cancellationToken: TestContext.Current.CancellationToken).Images))).Series;
    }

    private static AxisDirections DirectionsOf(double[] o)
    {
        Vector3D column = new(o[0], o[1], o[2]), row = new(o[3], o[4], o[5]);
        return new(column.Cross(row), row, column);
    }

    private static Vector3D AcquiredAt(int value, double[] o)
    {
        var d = DirectionsOf(o);
        return Origin + d.Slice * (value / (Rows * Columns) * SliceSpacing) + d.Row * (value / Columns % Rows * RowSpacing)
            + d.Column * (value % Columns * ColumnSpacing);
    }

    /// <summary>Reads the raw file again and places each set bit by the frame's own plane, independently of the reader.</summary>
    private static void AssertFramesLieWhereTheirLabelsAre(string path, LabelVolume labels, string name)
    {
        using var file = DicomFile.Open(path);
        var set = file.DataSet;
        var shared = set.Items(Tags.SharedFunctionalGroupsSequence)[0];
        var o = shared.Items(Tags.PlaneOrientationSequence)[0].Numbers(Tags.ImageOrientationPatient);
        var spacing = shared.Items(Tags.PixelMeasuresSequence)[0].Numbers(Tags.PixelSpacing);
        var isLabelMap = set.Text(Tags.SegmentationType) == "LABELMAP";
        var pixels = set.Find(Tags.PixelData)!.Value.Span;
        var expected = new HashSet<(int, int, int)>();
        for (var i = 0; i < labels.Labels.Length; i++)
        {
            if (labels.Labels[i] == 1)
            {
                expected.Add(Rounded(labels.Grid.PositionMm(i / (Rows * Columns), i / Columns % Rows, i % Columns)));
            }
        }

        var found = new HashSet<(int, int, int)>();
        var frames = set.Items(Tags.PerFrameFunctionalGroupsSequence);
        for (var pixel = 0; pixel < frames.Count * Rows * Columns; pixel++)
        {
            if (isLabelMap ? pixels[pixel] == 1 : (pixels[pixel / 8] >> (pixel % 8) & 1) == 1)
            {
                var p = frames[pixel / (Rows * Columns)].Items(Tags.PlanePositionSequence)[0].Numbers(Tags.ImagePositionPatient);
                var (row, column) = (pixel / Columns % Rows, pixel % Columns);
                found.Add(Rounded(
                    new Vector3D(p[0], p[1], p[2]) + new Vector3D(o[0], o[1], o[2]) * (column * spacing[1])
                        + new Vector3D(o[3], o[4], o[5]) * (row * spacing[0])));
            }
        }

        Assert.True(expected.SetEquals(found), name);
    }

    private static (int, int, int) Rounded(Vector3D mm) =>
        ((int)Math.Round(mm.X * 1000), (int)Math.Round(mm.Y * 1000), (int)Math.Round(mm.Z * 1000));
}
