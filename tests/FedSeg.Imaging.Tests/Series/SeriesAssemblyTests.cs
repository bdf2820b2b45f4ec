using FedSeg.Dicom.DataSets;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Series;

public sealed class SeriesAssemblyTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("series-").FullName;
    private readonly SliceFiles _files;

    public SeriesAssemblyTests() => _files = new SliceFiles(_directory);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Assemble_ShuffledEvenSlices_SortsByPositionAndTakesSpacingFromIt()
    {
        WriteAxial(10, 2.5, 7.5, 0, 5);

        var series = Assert.IsType<SeriesOutcome.Usable>(Assemble()).Series;

        Assert.Equal([0, 2.5, 5, 7.5, 10], series.Slices.Select(slice => slice.PositionMm.Z));
        Assert.Equal(2.5, series.Grid.SpacingMm.Z, 1e-12);
    }

    [Fact]
    public void Assemble_OneSliceGone_NamesMissingSlices()
    {
        WriteAxial(0, 1, 3, 4, 5);

        Refused(QuarantineReason.MissingSlices);
    }

    [Fact]
    public void Assemble_OneSliceOnly_NamesMissingSlices()
    {
        WriteAxial(0);

        Refused(QuarantineReason.MissingSlices);
    }

    [Fact]
    public void Assemble_TwoSlicesAtOnePosition_NamesDuplicates()
    {
        WriteAxial(0, 1, 1, 2);

        Refused(QuarantineReason.DuplicateSlices);
    }

    [Fact]
    public void Assemble_UnevenDistances_NamesIrregularSpacing()
    {
        WriteAxial(0, 1, 2, 3.3, 4.3);

        Refused(QuarantineReason.IrregularSpacing);
    }

    [Fact]
    public void Assemble_DistancesWithinTolerance_IsUsable()
    {
        WriteAxial(0, 1, 2.005, 3);

        Assert.IsType<SeriesOutcome.Usable>(Assemble());
    }

    [Fact]
    public void Assemble_OneSliceTurned_NamesMixedOrientation()
    {
        WriteAxial(0, 1, 2);
        _files.WriteAxial(3, 3, set => set.Numbers(Tags.ImageOrientationPatient, 1, 0, 0, 0, 0, -1));

        Refused(QuarantineReason.MixedOrientation);
    }

    [Fact]
    public void Assemble_ShearedStack_NamesGantryTilt()
    {
        for (var i = 0; i < 4; i++)
        {
            var shift = 0.2 * i;
            _files.WriteAxial(i, i, set => set.Numbers(Tags.ImagePositionPatient, 0, shift, i));
        }

        Refused(QuarantineReason.GantryTilt);
    }

    [Fact]
    public void Assemble_OneSliceShiftedInItsPlane_NamesIrregularSpacing()
    {
        WriteAxial(0, 1, 3, 4);
        _files.WriteAxial(9, 2, set => set.Numbers(Tags.ImagePositionPatient, 5, 0, 2));

        Refused(QuarantineReason.IrregularSpacing);
    }

    [Fact]
    public void Assemble_AnotherPixelSpacing_NamesInconsistentSeries()
    {
        WriteAxial(0, 1, 2);
        _files.WriteAxial(3, 3, set => set.Numbers(Tags.PixelSpacing, 2, 2));

        Refused(QuarantineReason.InconsistentSeries);
    }

    [Fact]
    public void Assemble_NoPosition_NamesUnsupportedImage()
    {
        WriteAxial(0, 1, 2);
        _files.WriteAxial(3, 3, set => set.Text(Tags.ImagePositionPatient));

        Refused(QuarantineReason.UnsupportedImage);
    }

    [Fact]
    public void Assemble_LocalizerInTheSeries_LeavesItOut()
    {
        WriteAxial(0, 1, 2);
        _files.WriteAxial(
            3, 50, set => set.Text(Tags.ImageType, "ORIGINAL", "PRIMARY", "LOCALIZER")
                .Numbers(Tags.ImageOrientationPatient, 1, 0, 0, 0, 0, -1));

        Assert.Equal(3, Assert.IsType<SeriesOutcome.Usable>(Assemble()).Series.Slices.Count);
    }

    [Theory]
    [InlineData("LOCALIZER", QuarantineReason.Localizer)]
    [InlineData("MOSAIC", QuarantineReason.Mosaic)]
    [InlineData("SCREEN SAVE", QuarantineReason.SecondaryCapture)]
    public void Assemble_SeriesOfImagesThatAreNoSlices_IsNamed(string imageType, QuarantineReason reason)
    {
        for (var i = 0; i < 3; i++) _files.WriteAxial(i, i, set => set.Text(Tags.ImageType, "ORIGINAL", "PRIMARY", imageType));

        Refused(reason);
    }

    [Fact]
    public void Assemble_SecondaryCaptures_AreNamed()
    {
        for (var i = 0; i < 3; i++) _files.WriteAxial(i, i, set => set.Text(Tags.SopClassUid, "1.2.840.10008.5.1.4.1.1.7"));

        Refused(QuarantineReason.SecondaryCapture);
    }

    [Fact]
    public void Assemble_BurnedInAnnotation_IsNamed()
    {
        WriteAxial(0, 1, 2);
        _files.WriteAxial(3, 3, set => set.Text(Tags.BurnedInAnnotation, "YES"));

        Refused(QuarantineReason.BurnedInAnnotation);
    }

    [Fact]
    public void Assemble_SmallErrorsThatAddUp_NamesIrregularSpacing()
    {
        var (z, heights) = (0.0, new List<double> { 0 });
        for (var i = 0; i < 60; i++) heights.Add(z += i < 30 ? 1.004 : 0.996);
        WriteAxial([.. heights]);

        Refused(QuarantineReason.IrregularSpacing);
    }

    [Fact]
    public void Assemble_StackThatLeansWithinTolerance_HasTheSliceAxisOfItsPositions()
    {
        for (var i = 0; i < 5; i++)
        {
            var y = 0.0015 * i;
            _files.WriteAxial(i, i, set => set.Numbers(Tags.ImagePositionPatient, 0, y, i));
        }

        var grid = Assert.IsType<SeriesOutcome.Usable>(Assemble()).Series.Grid;

        Assert.True((grid.PositionMm(4, 0, 0) - new Vector3D(0, 0.006, 4)).Length < 1e-12);
        Assert.True((grid.IndexAt(new(2, 1.006, 4)) - new Vector3D(2, 1, 4)).Length < 1e-9);
    }

    [Fact]
    public void Assemble_GapsToBeFilled_MarksThemAndKeepsEverySliceInItsPlace()
    {
        WriteAxial(0, 1, 3, 4, 6);

        var series = Assert.IsType<SeriesOutcome.Usable>(Assemble(new SeriesOptions { FillGaps = true })).Series;
        var volume = VolumeReader.Read(series, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal([2, 5], series.MissingPlanes);
        Assert.Equal(7, series.Grid.Size.Z);
        Assert.Equal(1, series.Grid.SpacingMm.Z, 1e-12);
        Assert.Equal([0f, 1, 0, 2, 3, 0, 4], Enumerable.Range(0, 7).Select(z => volume.Voxels[z * 12]));
        Assert.Null(series.SliceAt(5));
        Assert.Equal(6, series.SliceAt(6)!.PositionMm.Z);
    }

    [Fact]
    public void Assemble_UnevenDistancesToBeFilled_AreStillRefused()
    {
        WriteAxial(0, 1, 2.5, 3.5, 4.5);

        Assert.Equal(QuarantineReason.IrregularSpacing,
            Assert.IsType<SeriesOutcome.Refused>(Assemble(new SeriesOptions { FillGaps = true })).Reason);
    }

    [Fact]
    public void Assemble_SliceAtTheEndOfTheWorldToBeFilledUpTo_IsBeyondTheLimit()
    {
        WriteAxial(0, 1, 2, 1e300);

        Assert.Equal(QuarantineReason.LimitExceeded,
            Assert.IsType<SeriesOutcome.Refused>(Assemble(new SeriesOptions { FillGaps = true })).Reason);
    }

    [Fact]
    public void Assemble_MixedGeometryToBeSplit_GivesAVolumeOfEach()
    {
        WriteAxial(0, 1, 2);
        for (var i = 0; i < 2; i++)
        {
            var y = i;
            _files.WriteAxial(
                5 + i, 0, set => set.Numbers(Tags.ImageOrientationPatient, 1, 0, 0, 0, 0, -1).Numbers(Tags.ImagePositionPatient, 0, y, 0));
        }

        Refused(QuarantineReason.MixedOrientation);
        var stacks = SeriesAssembly.AssembleStacks(
            Assert.Single(DicomFolder.Read(_directory, cancellationToken: TestContext.Current.CancellationToken).Images),
            new SeriesOptions { SplitMixedGeometry = true }).Stacks;

        Assert.Equal([2, 3], stacks.Select(stack => Assert.IsType<SeriesOutcome.Usable>(stack.Outcome).Series.Slices.Count).Order());
    }

    private void WriteAxial(params double[] heights)
    {
        for (var i = 0; i < heights.Length; i++)
        {
            _files.WriteAxial(i, heights[i]);
        }
    }

    private SeriesOutcome Assemble(SeriesOptions? options = null) =>
        SeriesAssembly.Assemble(
            Assert.Single(DicomFolder.Read(_directory, cancellationToken: TestContext.Current.CancellationToken).Images), options);

    private void Refused(QuarantineReason reason) => Assert.Equal(reason, Assert.IsType<SeriesOutcome.Refused>(Assemble()).Reason);
}
