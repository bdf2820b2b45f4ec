using System.Buffers.Binary;
using System.IO.Compression;
using FedSeg.Imaging.Nifti;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;
using FedSeg.Testing;

namespace FedSeg.Imaging.Tests.Nifti;

public sealed class NiftiReaderTests : IDisposable
{
    private static readonly GridGeometry Grid = Grids.Straight(new Index3(2, 3, 4), 2, 1, 0.5);

    private readonly TemporaryFolder _folder = new();
    private readonly string _path;
    private readonly byte[] _good;

    public NiftiReaderTests()
    {
        _path = _folder["image.nii"];
        NiftiWriter.Write(_path, new Volume(Grid, [.. Enumerable.Range(0, 24).Select(i => (float)i)]));
        _good = File.ReadAllBytes(_path);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReadLabels_WhatWasWritten_ComesBackOnTheSameGrid()
    {
        var labels = Enumerable.Range(0, 24).Select(i => (byte)(i % 5)).ToArray();
        NiftiWriter.Write(_folder["labels.nii.gz"], new LabelVolume(Grid, labels));

        var read = NiftiReader.ReadLabels(_folder["labels.nii.gz"], cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(labels, read.Labels);
        Assert.Equal(Grid.Size, read.Grid.Size);
        Assert.True((read.Grid.PositionMm(1, 2, 3) - Grid.PositionMm(1, 2, 3)).Length < 1e-4);
    }

    [Theory]
    [InlineData(40, 0, "dim[0]")]
    [InlineData(40, 8, "dim[0]")]
    [InlineData(44, -3, "dim[2]")]
    [InlineData(42, 32767, "truncated")]
    [InlineData(70, 32, "datatype 32")]
    [InlineData(70, 128, "datatype 128")]
    [InlineData(72, 8, "bitpix")]
    public void ReadVolume_ImpossibleField_IsRefusedByName(int offset, short value, string field) =>
        Assert.Contains(field, Refused(bytes => BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(offset), value)),
            StringComparison.Ordinal);

    [Theory]
    [InlineData(108, 347f, "vox_offset")]
    [InlineData(108, 1e30f, "vox_offset")]
    [InlineData(108, float.NaN, "vox_offset")]
    [InlineData(280, float.NaN, "srow")]
    [InlineData(284, 1f, "right angles")]
    public void ReadVolume_ImpossibleNumber_IsRefusedByName(int offset, float value, string field) =>
        Assert.Contains(field, Refused(bytes => BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(offset), value)),
            StringComparison.Ordinal);

    [Fact]
    public void ReadVolume_NoOrientation_IsRefusedUnlessAllowed()
    {
        Assert.Contains("left and right", Refused(bytes => bytes.AsSpan(252, 4).Clear()), StringComparison.Ordinal);
        Assert.Equal(23, NiftiReader.ReadVolume(
            _path, new NiftiOptions { AllowMissingOrientation = true }, TestContext.Current.CancellationToken).Voxels[23]);
    }

    [Fact]
    public void ReadVolume_FourthDimension_IsRefused() =>
        Assert.Contains("series of volumes", Refused(bytes => (bytes[40], bytes[48]) = (4, 2)), StringComparison.Ordinal);

    [Fact]
    public void ReadVolume_MoreVoxelsThanAllowed_IsRefusedBeforeMemoryIsTaken()
    {
        for (var axis = 0; axis < 3; axis++) BinaryPrimitives.WriteInt16LittleEndian(_good.AsSpan(42 + 2 * axis), short.MaxValue);

        Assert.Contains(nameof(NiftiOptions.MaxVoxels), Refused(_ => { }), StringComparison.Ordinal);
    }

    [Fact]
    public void ReadVolume_OtherFormats_AreNamed()
    {
        Assert.Contains("NIfTI-2", Refused(bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes, 540)), StringComparison.Ordinal);
        Assert.Contains("sizeof_hdr", Refused(bytes => bytes[0] = 7), StringComparison.Ordinal);
        Assert.Contains(".hdr/.img", Refused(bytes => "ni1\0"u8.CopyTo(bytes.AsSpan(344))), StringComparison.Ordinal);
        Assert.Contains("mm", Refused(bytes => bytes[123] = 1), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(347)]
    [InlineData(351)]
    [InlineData(399)]
    public void ReadVolume_TruncatedFile_SaysSo(int length)
    {
        File.WriteAllBytes(_path, _good[..length]);

        Assert.Contains("truncated", Assert.Throws<InvalidDataException>(Read).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadVolume_GzipWhoseChecksumDoesNotFit_IsRefused()
    {
        var bytes = Gzipped(_good);
        bytes[^6] ^= 1;
        File.WriteAllBytes(_path, bytes);

        Assert.Contains("corrupt", Assert.Throws<InvalidDataException>(Read).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.5f)]
    [InlineData(-1f)]
    [InlineData(256f)]
    [InlineData(float.NaN)]
    public void ReadLabels_VoxelThatIsNoLabel_IsRefused(float value)
    {
        NiftiWriter.Write(_path, new Volume(Grid, [.. Enumerable.Range(0, 24).Select(i => i == 5 ? value : 1)]));

        var error = Assert.Throws<InvalidDataException>(
            () => NiftiReader.ReadLabels(_path, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("voxel 5", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadVolume_BytesChangedAtRandom_EndsInAVolumeOrARefusal()
    {
        var chance = new Random(1);
        var (read, refused) = (0, 0);
        var options = new NiftiOptions { MaxVoxels = 10_000 };
        for (var run = 0; run < 3000; run++)
        {
            var bytes = _good.ToArray();
            for (var change = chance.Next(1, 4); change > 0; change--) bytes[chance.Next(bytes.Length)] = (byte)chance.Next(256);
            if (run % 3 == 0) bytes = Gzipped(bytes);
            if (run % 6 == 0) bytes[chance.Next(bytes.Length)] ^= (byte)(1 << chance.Next(8));
            File.WriteAllBytes(_path, bytes);
            try
            {
                Assert.True(NiftiReader.ReadVolume(
                    _path, options, TestContext.Current.CancellationToken).Voxels.Length <= options.MaxVoxels);
                read++;
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.True(read > 500 && refused > 200, $"{read} read, {refused} refused");
    }

    private static byte[] Gzipped(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest)) gzip.Write(bytes);
        return stream.ToArray();
    }

    private string Refused(Action<byte[]> change)
    {
        var bytes = _good.ToArray();
        change(bytes);
        File.WriteAllBytes(_path, bytes);
        return Assert.Throws<InvalidDataException>(Read).Message;
    }

    private void Read() => NiftiReader.ReadVolume(_path, cancellationToken: TestContext.Current.CancellationToken);
}
