using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Series;

public sealed class VolumeReaderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("volume-").FullName;
    private readonly SliceFiles _files;

    public VolumeReaderTests() => _files = new SliceFiles(_directory);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Read_SlopeAndInterceptOfEachSlice_AreAppliedToThatSlice()
    {
        _files.WriteAxial(2, 0, set => set.Numbers(Tags.RescaleSlope, 10).Numbers(Tags.RescaleIntercept, -5));
        _files.WriteAxial(3, 1, set => set.Numbers(Tags.RescaleSlope, 0.5).Numbers(Tags.RescaleIntercept, 100));

        var volume = Read();

        Assert.Equal(15f, volume.Voxels[0]);
        Assert.Equal(101.5f, volume.Voxels[12]);
    }

    /// <summary>Monochrome 1 says how to show a value, not what it is.</summary>
    [Fact]
    public void Read_Monochrome1_IsNotInverted()
    {
        WritePair(set => set.Text(Tags.PhotometricInterpretation, "MONOCHROME1"));

        Assert.Equal([0f, 1, 2, 3], Read().Voxels[..4]);
    }

    [Fact]
    public void Read_PaddingRangeInCt_BecomesAir()
    {
        WritePair(set => set.Text(Tags.Modality, "CT").Numbers(Tags.RescaleIntercept, -1024)
            .Bytes(Tags.PixelPaddingValue, DicomVr.SS, BitConverter.GetBytes((short)2))
            .Bytes(Tags.PixelPaddingRangeLimit, DicomVr.SS, BitConverter.GetBytes((short)1)));

        Assert.Equal([-1024f, -1000, -1000, -1021], Read().Voxels[..4]);
    }

    [Fact]
    public void Read_PaddingInMrWithoutNegativeValues_BecomesZero()
    {
        WritePair(set => set.Bytes(Tags.PixelPaddingValue, DicomVr.SS, BitConverter.GetBytes((short)0)));

        Assert.Equal([0f, 1, 2, 3], Read().Voxels[..4]);
    }

    [Fact]
    public void Read_ModalityLookUpTable_MapsValuesAndClampsItsEnds()
    {
        WritePair(set => set.Sequence(Tags.ModalityLutSequence, new DataSetBuilder()
            .Numbers(Tags.LutDescriptor, 3, 1, 16)
            .Bytes(Tags.LutData, DicomVr.OW, [100, 0, 0, 1, 44, 1])));

        Assert.Equal([100f, 100, 256, 300, 300], Read().Voxels[..5]);
    }

    /// <summary>The standard stores the count in 16 bits; a file is free to lie in another representation.</summary>
    [Theory]
    [InlineData(70_000)]
    [InlineData(2e9)]
    [InlineData(-1)]
    public void Read_TableThatClaimsMoreThanItHas_IsRefusedBeforeAnyIsTaken(double entries)
    {
        byte[] descriptor = [.. BitConverter.GetBytes(entries), .. BitConverter.GetBytes(0.0), .. BitConverter.GetBytes(16.0)];
        WritePair(set => set.Sequence(Tags.ModalityLutSequence, new DataSetBuilder()
            .Bytes(Tags.LutDescriptor, DicomVr.FD, descriptor)
            .Bytes(Tags.LutData, DicomVr.OW, [100, 0, 0, 1])));

        Assert.Equal(DicomFault.Malformed, Assert.Throws<DicomException>(() => Read()).Fault);
    }

    [Fact]
    public void Read_SlopeThatMakesValuesInfinite_IsRefusedAndNamesTheSeries()
    {
        WritePair(set => set.Numbers(Tags.RescaleSlope, 1e39));

        var error = Assert.Throws<DicomException>(() => Read());
        Assert.Equal(DicomFault.Malformed, error.Fault);
        Assert.Contains(_directory, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RealWorldMappingOnly_IsUsed()
    {
        WritePair(set => set.Sequence(Tags.RealWorldValueMappingSequence, RealWorld(0.5, 10)));

        Assert.Equal([10f, 10.5f, 11], Read().Voxels[..3]);
    }

    [Fact]
    public void Read_RealWorldMappingBesideRescale_IsIgnored()
    {
        WritePair(set => set.Sequence(Tags.RealWorldValueMappingSequence, RealWorld(0.5, 10)).Numbers(Tags.RescaleSlope, 2)
            .Numbers(Tags.RescaleIntercept, 1));

        Assert.Equal([1f, 3, 5], Read().Voxels[..3]);
    }

    /// <summary>
    /// A ramp across the patient's y is the same function of the position however the gantry leans: linear interpolation keeps it exactly,
    /// wherever a slice reaches.
    /// </summary>
    [Fact]
    public void Read_TiltedStackToBeResampled_PutsEveryValueBackInItsPlace()
    {
        const double Lean = 0.4;
        for (var slice = 0; slice < 4; slice++)
        {
            var y0 = Lean * slice;
            _files.Write(
                slice, new Vector3D(0, y0, 2 * slice), SliceFiles.Axial, 6, 3, (0.5, 1), (row, column) =>
                    (short)Math.Round(100 * (y0 + 0.5 * row) + column));
        }

        var slices = Assert.Single(DicomFolder.Read(_directory, cancellationToken: TestContext.Current.CancellationToken).Images);
        var series = Assert.IsType<SeriesOutcome.Usable>(SeriesAssembly.Assemble(slices, new SeriesOptions { ResampleTilt = true })).Series;
        var volume = VolumeReader.Read(series, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(new Index3(4, 9, 3), series.Grid.Size);
        Assert.Equal(new Vector3D(0, 0, 1), series.Grid.Directions.Slice);
        Assert.Equal(2, series.Grid.SpacingMm.Z, 1e-12);
        for (var i = 0; i < volume.Voxels.Length; i++)
        {
            var position = series.Grid.PositionMm(i / 27, i / 3 % 9, i % 3);
            var y0 = Lean * (i / 27);
            var isReached = position.Y >= y0 - 1e-9 && position.Y <= y0 + 2.5 + 1e-9;
            Assert.Equal(isReached ? 100 * position.Y + i % 3 : 0, volume.Voxels[i], 1e-3);
        }
    }

    private static DataSetBuilder RealWorld(double slope, double intercept) => new DataSetBuilder()
        .Bytes(Tags.RealWorldValueSlope, DicomVr.FD, BitConverter.GetBytes(slope))
        .Bytes(Tags.RealWorldValueIntercept, DicomVr.FD, BitConverter.GetBytes(intercept));

    /// <summary>Two slices whose stored values count up from 0.</summary>
    private void WritePair(Action<DataSetBuilder> change)
    {
        for (var slice = 0; slice < 2; slice++)
        {
            _files.Write(slice, new Vector3D(0, 0, slice), SliceFiles.Axial, 3, 4, (1, 1), (row, column) => (short)(4 * row + column),
                change);
        }
    }

    private Volume Read() => VolumeReader.Read(
        Assert.IsType<SeriesOutcome.Usable>(
            SeriesAssembly.Assemble(
                Assert.Single(DicomFolder.Read(_directory, cancellationToken: TestContext.Current.CancellationToken).Images))).Series,
        cancellationToken: TestContext.Current.CancellationToken);
}
