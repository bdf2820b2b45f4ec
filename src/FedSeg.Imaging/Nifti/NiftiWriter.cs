using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Nifti;

/// <summary>
/// Writes single-file NIfTI-1 images, little-endian, gzipped where the name ends in <c>.gz</c>. Voxels keep their order; sform and qform
/// both say where they lie (scanner coordinates). The file appears under its name only when it is complete, replacing one that is there.
/// </summary>
public static class NiftiWriter
{
    private const int VoxelOffset = 352;

    /// <summary>Writes an image: int16 where that loses nothing (as for CT in HU), else float32.</summary>
    /// <exception cref="ArgumentException">An axis is longer than 32767 voxels, the most that NIfTI-1 can hold.</exception>
    public static void Write(string path, Volume volume)
    {
        if (Array.TrueForAll(volume.Voxels, voxel => voxel is >= short.MinValue and <= short.MaxValue && voxel == MathF.Floor(voxel)))
        {
            Write<short>(path, volume.Grid, NiftiDatatype.Int16, (i, cells) =>
            {
                for (var c = 0; c < cells.Length; c++) cells[c] = (short)volume.Voxels[i + c];
            });
        }
        else
        {
            Write<float>(path, volume.Grid, NiftiDatatype.Float32, (i, cells) => volume.Voxels.AsSpan(i, cells.Length).CopyTo(cells));
        }
    }

    /// <summary>Writes a label map as uint8.</summary>
    /// <exception cref="ArgumentException">An axis is longer than 32767 voxels, the most that NIfTI-1 can hold.</exception>
    public static void Write(string path, LabelVolume labels) =>
        Write<byte>(path, labels.Grid, NiftiDatatype.UInt8, (i, cells) => labels.Labels.AsSpan(i, cells.Length).CopyTo(cells));

    private static void Write<T>(string path, GridGeometry grid, NiftiDatatype datatype, Action<int, Span<T>> fill)
        where T : unmanaged
    {
        var header = HeaderOf(grid, datatype);
        var part = path + ".part";
        using (var file = File.Create(part))
        using (var stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
            ? new GZipStream(file, CompressionLevel.Optimal) : (Stream)file)
        {
            stream.Write(header);
            var row = new T[grid.Size.X];
            for (var first = 0; first < grid.VoxelCount; first += row.Length)
            {
                fill(first, row);
                var bytes = MemoryMarshal.AsBytes(row.AsSpan());
                if (!BitConverter.IsLittleEndian) ByteOrder.Reverse(bytes, datatype.Width());
                stream.Write(bytes);
            }
        }

        File.Move(part, path, overwrite: true);
    }

    private static byte[] HeaderOf(GridGeometry grid, NiftiDatatype datatype)
    {
        if (Math.Max(grid.Size.X, Math.Max(grid.Size.Y, grid.Size.Z)) > short.MaxValue)
        {
            throw new ArgumentException($"NIfTI-1 holds at most {short.MaxValue} voxels along an axis; the grid has "
                + $"{grid.Size}.", nameof(grid));
        }

        var bytes = new byte[VoxelOffset];
        void Int16(int offset, int value) => BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(offset), (short)value);
        void Single(int offset, double value) => BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(offset), (float)value);

        var affine = NiftiAffine.Of(grid);
        var (b, c, d, handedness) = QuaternionOf(affine);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, NiftiHeader.Length);
        int[] dim = [3, grid.Size.X, grid.Size.Y, grid.Size.Z, 1, 1, 1, 1];
        double[] pixdim = [handedness, grid.SpacingMm.X, grid.SpacingMm.Y, grid.SpacingMm.Z];
        for (var i = 0; i < dim.Length; i++) Int16(40 + 2 * i, dim[i]);
        for (var i = 0; i < pixdim.Length; i++) Single(76 + 4 * i, pixdim[i]);
        Int16(70, (short)datatype);
        Int16(72, 8 * datatype.Width());
        Single(108, VoxelOffset);
        Single(112, 1);
        bytes[123] = 2;
        Int16(252, 1);
        Int16(254, 1);
        double[] quaternion = [b, c, d, affine.Origin.X, affine.Origin.Y, affine.Origin.Z];
        for (var i = 0; i < quaternion.Length; i++) Single(256 + 4 * i, quaternion[i]);
        var rows = affine.ToRows();
        for (var i = 0; i < 12; i++) Single(280 + 4 * i, rows[i / 4][i % 4]);
        "n+1\0"u8.CopyTo(bytes.AsSpan(344));
        return bytes;
    }

    /// <summary>
    /// The unit quaternion (a ≥ 0 left out, as in the standard) of the axes, and -1 where they are left-handed: qfac, which mirrors the
    /// third axis. The largest of the four parts is taken from the diagonal, so that none is divided by a small number.
    /// </summary>
    private static (double B, double C, double D, int Handedness) QuaternionOf(NiftiAffine affine)
    {
        var x = affine.I * (1 / affine.I.Length);
        var y = affine.J * (1 / affine.J.Length);
        var handedness = x.Cross(y).Dot(affine.K) < 0 ? -1 : 1;
        var z = affine.K * (handedness / affine.K.Length);
        double[] squares = [1 + x.X + y.Y + z.Z, 1 + x.X - y.Y - z.Z, 1 - x.X + y.Y - z.Z, 1 - x.X - y.Y + z.Z];
        var largest = Array.IndexOf(squares, squares.Max());
        var four = 2 * Math.Sqrt(squares[largest]);
        var (a, b, c, d) = largest switch
        {
            0 => (four / 4, (y.Z - z.Y) / four, (z.X - x.Z) / four, (x.Y - y.X) / four),
            1 => ((y.Z - z.Y) / four, four / 4, (x.Y + y.X) / four, (z.X + x.Z) / four),
            2 => ((z.X - x.Z) / four, (x.Y + y.X) / four, four / 4, (y.Z + z.Y) / four),
            _ => ((x.Y - y.X) / four, (z.X + x.Z) / four, (y.Z + z.Y) / four, four / 4),
        };
        return a < 0 ? (-b, -c, -d, handedness) : (b, c, d, handedness);
    }
}
