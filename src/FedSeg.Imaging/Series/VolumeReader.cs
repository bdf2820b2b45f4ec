using System.Buffers;
using System.Buffers.Binary;
using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Pixels;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>
/// Decodes the slices of a series into one volume: value = stored · slope + intercept by each slice's own numbers, or through its modality
/// look-up table. The window for display is ignored, and so is MONOCHROME1: it says how to show a value, not what it is. What lies outside
/// the scanner's field of view (padding, missing slices, the corners of a straightened stack) becomes air in CT (-1000 HU), else the
/// smallest value.
/// </summary>
public static class VolumeReader
{
    private const float AirHu = -1000;

    /// <summary>
    /// Reads all pixels, one file in memory beside the volume at a time; <see cref="SeriesOptions.MaxVoxels"/> bounded the volume before.
    /// </summary>
    /// <exception cref="DicomException">A slice can't be decoded, its pixels are not what its header said, or a value is infinite.</exception>
    public static Volume Read(ImageSeries series, DicomLimits? limits = null, CancellationToken cancellationToken = default)
    {
        var voxels = new float[series.Grid.VoxelCount];
        foreach (var plane in series.MissingPlanes) PlaneOf(series, voxels, plane).Fill(float.NaN);
        var places = series.Slices.Zip(series.Planes).ToLookup(place => place.First.Path, StringComparer.Ordinal);
        foreach (var file in places)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadFile(series, file.Key, [.. file], limits, voxels);
        }

        FillOutside(voxels, series);
        return new Volume(series.Grid, voxels);
    }

    private static void ReadFile(
        ImageSeries series, string path, (SliceHeader Slice, int Plane)[] places, DicomLimits? limits, float[] voxels)
    {
        using var file = DicomFile.Open(path, limits);
        var frames = new FrameReader(file);
        var lut = places[0].Slice.HasModalityLut ? ModalityLut.Of(file) : null;
        var buffer = ArrayPool<byte>.Shared.Rent(frames.Layout.FrameBytes);
        try
        {
            foreach (var (slice, plane) in places)
            {
                Check(slice, frames.Layout);
                frames.Read(slice.Frame, buffer);
                var target = PlaneOf(series, voxels, plane);
                if (series.Shear is null)
                {
                    Transform(buffer, frames.Layout, slice, lut, target);
                }
                else
                {
                    var values = new float[slice.Rows * slice.Columns];
                    Transform(buffer, frames.Layout, slice, lut, values);
                    TiltedStack.Move(values, (slice.Rows, slice.Columns), series.Shear.At(plane), target, series.Grid.Size.X);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Check(SliceHeader slice, PixelLayout layout)
    {
        if (layout.Rows != slice.Rows || layout.Columns != slice.Columns || layout.SamplesPerPixel != 1 || layout.Frames <= slice.Frame)
        {
            throw new DicomException(DicomFault.Malformed, $"{slice.Path}: the file changed while the series was read. Wait until its "
                + "transfer is complete.");
        }
    }

    private static void Transform(ReadOnlySpan<byte> stored, PixelLayout layout, SliceHeader slice, ModalityLut? lut, Span<float> values)
    {
        var padding = slice.Padding ?? new PaddingRange(1, 0);
        for (var i = 0; i < values.Length; i++)
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
            var isPadding = value >= padding.First && value <= padding.Last;
            values[i] = isPadding ? float.NaN : lut is null ? (float)(value * slice.RescaleSlope + slice.RescaleIntercept) : lut[value];
        }
    }

    private static void FillOutside(float[] voxels, ImageSeries series)
    {
        var least = float.PositiveInfinity;
        var hasOutside = false;
        foreach (var voxel in voxels)
        {
            if (float.IsInfinity(voxel)) throw TooLarge(series);
            if (float.IsNaN(voxel)) hasOutside = true;
            else if (voxel < least) least = voxel;
        }

        if (!hasOutside)
        {
            return;
        }

        // Of images without negative values 0, which cropping and masks take for what it is: outside.
        var outside = series.Modality == "CT" ? AirHu : float.IsFinite(least) ? Math.Min(0, least) : 0;
        for (var i = 0; i < voxels.Length; i++)
        {
            if (float.IsNaN(voxels[i])) voxels[i] = outside;
        }
    }

    private static DicomException TooLarge(ImageSeries series) => new(
        DicomFault.Malformed, $"{series.Slices[0].Path}: after slope and intercept {Tags.RescaleSlope} {Tags.RescaleIntercept} a value of "
            + "its series is larger than any image's. Export the study again.");

    private static Span<float> PlaneOf(ImageSeries series, float[] voxels, int plane)
    {
        var size = series.Grid.Size.Y * series.Grid.Size.X;
        return voxels.AsSpan(plane * size, size);
    }
}
