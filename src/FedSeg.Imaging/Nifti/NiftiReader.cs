using System.IO.Compression;
using System.Runtime.InteropServices;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Nifti;

/// <summary>
/// Reads single-file NIfTI-1 images (.nii, .nii.gz) of either byte order. Voxels stay in the file's order; the grid says where they lie
/// in the patient, in LPS like every grid here. Values are stored · scl_slope + scl_inter.
/// </summary>
public static class NiftiReader
{
    private const int ChunkVoxels = 64 * 1024;

    /// <summary>The name ends as NIfTI files do.</summary>
    public static bool IsNifti(string path) =>
        path.EndsWith(".nii", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".nii.gz", StringComparison.OrdinalIgnoreCase);

    /// <summary>An image as floats; NaN voxels stay NaN, whole numbers beyond 2^24 are rounded.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is no NIfTI-1, corrupt, truncated, beyond a limit, or does not say where it lies.
    /// </exception>
    /// <exception cref="IOException">The file can't be opened.</exception>
    public static Volume ReadVolume(string path, NiftiOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var stream = Open(path);
        var header = ReadHeader(stream, path, options ?? NiftiOptions.Default);
        var grid = header.Affine.ToGrid(header.Size);
        var voxels = new float[grid.VoxelCount];
        ReadVoxels(stream, header, path, (first, values) =>
        {
            for (var i = 0; i < values.Length; i++) voxels[first + i] = (float)values[i];
        }, cancellationToken);
        return new Volume(grid, voxels);
    }

    /// <summary>A label map; every voxel must be a whole number from 0 to 255, whatever the datatype.</summary>
    /// <exception cref="InvalidDataException">As for <see cref="ReadVolume"/>, or a voxel is no label.</exception>
    /// <exception cref="IOException">The file can't be opened.</exception>
    public static LabelVolume ReadLabels(string path, NiftiOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var stream = Open(path);
        var header = ReadHeader(stream, path, options ?? NiftiOptions.Default);
        var grid = header.Affine.ToGrid(header.Size);
        var labels = new byte[grid.VoxelCount];
        ReadVoxels(stream, header, path, (first, values) =>
        {
            for (var i = 0; i < values.Length; i++)
            {
                labels[first + i] = values[i] is >= 0 and <= 255 && values[i] == Math.Floor(values[i])
                    ? (byte)values[i]
                    : throw new InvalidDataException($"{path}: voxel {first + i} is {values[i]}, no label: labels are whole numbers from "
                        + "0 to 255.");
            }
        }, cancellationToken);
        return new LabelVolume(grid, labels);
    }

    /// <summary>Gzip is told by its first two bytes, not by the name.</summary>
    private static Stream Open(string path)
    {
        var file = File.OpenRead(path);
        Span<byte> magic = stackalloc byte[2];
        var read = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        file.Position = 0;
        return read == 2 && magic is [0x1F, 0x8B] ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    private static NiftiHeader ReadHeader(Stream stream, string path, NiftiOptions options)
    {
        var bytes = new byte[NiftiHeader.Length];
        Fill(stream, bytes, path);
        var header = NiftiHeader.Parse(bytes, path, options);
        Fill(stream, new byte[header.VoxelOffset - NiftiHeader.Length], path);
        return header;
    }

    private static void ReadVoxels(
        Stream stream, NiftiHeader header, string path, Action<int, ReadOnlySpan<double>> take, CancellationToken cancellationToken)
    {
        var total = header.Size.Z * header.Size.Y * header.Size.X;
        var raw = new byte[Math.Min(ChunkVoxels, total) * header.Datatype.Width()];
        var values = new double[Math.Min(ChunkVoxels, total)];
        for (var first = 0; first < total; first += ChunkVoxels)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(ChunkVoxels, total - first);
            var chunk = raw.AsSpan(0, count * header.Datatype.Width());
            Fill(stream, chunk, path);
            if (header.IsBigEndian == BitConverter.IsLittleEndian) ByteOrder.Reverse(chunk, header.Datatype.Width());
            Widen(chunk, header.Datatype, values);
            if (header.Slope != 1 || header.Intercept != 0)
            {
                for (var i = 0; i < count; i++) values[i] = values[i] * header.Slope + header.Intercept;
            }

            take(first, values.AsSpan(0, count));
        }

        // A gzip checksum stands behind the last byte and is only looked at on the way to the end.
        ReadUpTo(stream, new byte[1], path);
    }

    private static void Fill(Stream stream, Span<byte> bytes, string path)
    {
        if (ReadUpTo(stream, bytes, path) < bytes.Length)
        {
            throw new InvalidDataException($"{path}: the file ends before its last voxel; it is truncated, fetch it again.");
        }
    }

    private static int ReadUpTo(Stream stream, Span<byte> bytes, string path)
    {
        try
        {
            return stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException broken)
        {
            throw new InvalidDataException($"{path}: the gzip stream is corrupt; fetch the file again.", broken);
        }
    }

    private static void Widen(ReadOnlySpan<byte> bytes, NiftiDatatype datatype, Span<double> values)
    {
        switch (datatype)
        {
            case NiftiDatatype.UInt8: Convert<byte>(bytes, values); break;
            case NiftiDatatype.Int8: Convert<sbyte>(bytes, values); break;
            case NiftiDatatype.Int16: Convert<short>(bytes, values); break;
            case NiftiDatatype.UInt16: Convert<ushort>(bytes, values); break;
            case NiftiDatatype.Int32: Convert<int>(bytes, values); break;
            case NiftiDatatype.UInt32: Convert<uint>(bytes, values); break;
            case NiftiDatatype.Int64: Convert<long>(bytes, values); break;
            case NiftiDatatype.UInt64: Convert<ulong>(bytes, values); break;
            case NiftiDatatype.Float32: Convert<float>(bytes, values); break;
            case NiftiDatatype.Float64: Convert<double>(bytes, values); break;
        }

        static void Convert<T>(ReadOnlySpan<byte> bytes, Span<double> values)
            where T : unmanaged, System.Numerics.INumberBase<T>
        {
            var stored = MemoryMarshal.Cast<byte, T>(bytes);
            for (var i = 0; i < stored.Length; i++) values[i] = double.CreateTruncating(stored[i]);
        }
    }
}
