using System.Buffers;
using System.Buffers.Binary;
using FedSeg.Dicom;
using FedSeg.Dicom.Pixels;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>
/// Decodes the slices of a series into one volume: value = stored · slope + intercept, by each slice's own slope and intercept. CT voxels that hold
/// PixelPaddingValue lie outside the field of view and become air.
/// </summary>
public static class VolumeReader
{
    private const float AirHu = -1000;

    /// <summary>Reads all pixels, one slice in memory beside the volume at a time; <see cref="SeriesOptions.MaxVoxels"/> bounded the volume before.</summary>
    /// <exception cref="DicomException">A slice can't be decoded, or its pixels are not what its header said.</exception>
    public static Volume Read(ImageSeries series, DicomLimits? limits = null, CancellationToken cancellationToken = default)
    {
        var (slices, rows, columns) = (series.Grid.Size.Z, series.Grid.Size.Y, series.Grid.Size.X);
        var voxels = new float[series.Grid.VoxelCount];
        for (var z = 0; z < slices; z++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadSlice(series.Slices[z], limits, voxels.AsSpan(z * rows * columns, rows * columns));
        }

        return new Volume(series.Grid, voxels);
    }

    private static void ReadSlice(SliceHeader slice, DicomLimits? limits, Span<float> voxels)
    {
        using var file = DicomFile.Open(slice.Path, limits);
        var frames = new FrameReader(file);
        if (frames.Layout.ValuesPerFrame != voxels.Length || frames.Layout.Rows != slice.Rows)
        {
            throw new DicomException(DicomFault.Malformed, $"{slice.Path}: the file changed while the series was read. Wait until its transfer is complete.");
        }

        var buffer = ArrayPool<byte>.Shared.Rent(frames.Layout.FrameBytes);
        try
        {
            frames.Read(0, buffer);
            Rescale(buffer, frames.Layout, slice, voxels);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Rescale(ReadOnlySpan<byte> stored, PixelLayout layout, SliceHeader slice, Span<float> voxels)
    {
        var padding = slice.Modality == "CT" ? slice.PaddingValue : null;
        for (var i = 0; i < voxels.Length; i++)
        {
            double value = (layout.BytesPerValue, layout.IsSigned) switch
            {
                (1, false) => stored[i],
                (1, true) => (sbyte)stored[i],
                (2, false) => BinaryPrimitives.ReadUInt16LittleEndian(stored[(2 * i)..]),
                (2, true) => BinaryPrimitives.ReadInt16LittleEndian(stored[(2 * i)..]),
                (_, false) => BinaryPrimitives.ReadUInt32LittleEndian(stored[(4 * i)..]),
                (_, true) => BinaryPrimitives.ReadInt32LittleEndian(stored[(4 * i)..]),
            };
            voxels[i] = value == padding ? AirHu : (float)(value * slice.RescaleSlope + slice.RescaleIntercept);
        }
    }
}
