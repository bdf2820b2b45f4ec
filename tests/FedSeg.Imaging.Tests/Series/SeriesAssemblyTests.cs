using FedSeg.Dicom.DataSets;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Series;

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
        _files.WriteAxial(3, 50, set => set.Text(Tags.ImageType, "ORIGINAL", "PRIMARY", "LOCALIZER").Numbers(Tags.ImageOrientationPatient, 1, 0, 0, 0, 0, -1));

        Assert.Equal(3, Assert.IsType<SeriesOutcome.Usable>(Assemble()).Series.Slices.Count);
    }

    [Fact]
    public void Read_SlopeAndInterceptOfEachSlice_AreAppliedToThatSlice()
    {
        _files.WriteAxial(2, 0, set => set.Numbers(Tags.RescaleSlope, 10).Numbers(Tags.RescaleIntercept, -5));
        _files.WriteAxial(3, 1, set => set.Numbers(Tags.RescaleSlope, 0.5).Numbers(Tags.RescaleIntercept, 100));

        var volume = VolumeReader.Read(Assert.IsType<SeriesOutcome.Usable>(Assemble()).Series, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(15f, volume.Voxels[0]);
        Assert.Equal(101.5f, volume.Voxels[12]);
    }

    private void WriteAxial(params double[] heights)
    {
        for (var i = 0; i < heights.Length; i++)
        {
            _files.WriteAxial(i, heights[i]);
        }
    }

    private SeriesOutcome Assemble() => SeriesAssembly.Assemble(Assert.Single(DicomFolder.Read(_directory).Images));

    private void Refused(QuarantineReason reason) => Assert.Equal(reason, Assert.IsType<SeriesOutcome.Refused>(Assemble()).Reason);
}
