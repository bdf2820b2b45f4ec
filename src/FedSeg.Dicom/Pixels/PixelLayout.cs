using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Pixels;

/// <summary>The image pixel module, PS3.3 §C.7.6.3, checked against the limits: all numbers here are possible and fit in memory.</summary>
public sealed record PixelLayout
{
    public required int Rows { get; init; }

    public required int Columns { get; init; }

    public required int Frames { get; init; }

    public required int SamplesPerPixel { get; init; }

    /// <summary>1, 8, 16 or 32.</summary>
    public required int BitsAllocated { get; init; }

    public required int BitsStored { get; init; }

    public required int HighBit { get; init; }

    /// <summary>Stored values are two's complement.</summary>
    public required bool IsSigned { get; init; }

    public required string Photometric { get; init; }

    /// <summary>Colour samples lie plane by plane (PlanarConfiguration 1) instead of pixel by pixel.</summary>
    public required bool IsPlanar { get; init; }

    /// <summary>Bytes of one stored value after decoding: 1 (also for one-bit values, which become 0 or 1), 2 or 4.</summary>
    public int BytesPerValue => Math.Max(1, BitsAllocated / 8);

    /// <summary>Stored values in one frame.</summary>
    public int ValuesPerFrame => Rows * Columns * SamplesPerPixel;

    /// <summary>Bytes of one decoded frame.</summary>
    public int FrameBytes => ValuesPerFrame * BytesPerValue;

    /// <summary>Stored values from one pixel to the next of the same sample.</summary>
    internal int ValueStride => IsPlanar ? 1 : SamplesPerPixel;

    /// <summary>The place of the first pixel's value of a sample.</summary>
    internal int FirstValueOf(int sample) => IsPlanar ? sample * Rows * Columns : sample;

    /// <summary>Reads the module from a header; no pixel is touched.</summary>
    /// <exception cref="DicomException">Absent, impossible, unsupported or beyond a limit.</exception>
    public static PixelLayout Of(DicomFile file)
    {
        var set = file.DataSet;
        if (set.Find(Tags.FloatPixelData) is not null || set.Find(Tags.DoubleFloatPixelData) is not null)
        {
            throw new DicomException(DicomFault.UnsupportedPixels, $"{file.Path}: floating-point pixel data are not read. Export the study with integer pixels.");
        }

        var allocated = set.RequiredWholeNumber(Tags.BitsAllocated);
        var stored = set.WholeNumber(Tags.BitsStored) ?? allocated;
        var layout = new PixelLayout
        {
            Rows = set.RequiredWholeNumber(Tags.Rows),
            Columns = set.RequiredWholeNumber(Tags.Columns),
            Frames = set.WholeNumber(Tags.NumberOfFrames) ?? 1,
            SamplesPerPixel = set.WholeNumber(Tags.SamplesPerPixel) ?? 1,
            BitsAllocated = allocated,
            BitsStored = stored,
            HighBit = set.WholeNumber(Tags.HighBit) ?? stored - 1,
            IsSigned = set.WholeNumber(Tags.PixelRepresentation) == 1,
            Photometric = set.Text(Tags.PhotometricInterpretation) ?? "MONOCHROME2",
            IsPlanar = set.WholeNumber(Tags.PlanarConfiguration) == 1,
        };
        Check(layout, file);
        return layout;
    }

    private static void Check(PixelLayout layout, DicomFile file)
    {
        if (layout.BitsAllocated is not (1 or 8 or 16 or 32) || layout.SamplesPerPixel is not (1 or 3 or 4)
            || (layout.BitsAllocated == 1 && layout.SamplesPerPixel != 1))
        {
            throw new DicomException(
                DicomFault.UnsupportedPixels,
                $"{file.Path}: {layout.BitsAllocated} bits allocated {Tags.BitsAllocated} and {layout.SamplesPerPixel} samples per pixel "
                + $"{Tags.SamplesPerPixel} are not read; 1, 8, 16 or 32 bits and 1, 3 or 4 samples are.");
        }

        if (layout.Rows is <= 0 or > ushort.MaxValue || layout.Columns is <= 0 or > ushort.MaxValue || layout.Frames <= 0 || layout.BitsStored <= 0 || layout.BitsStored > layout.BitsAllocated
            || layout.HighBit < layout.BitsStored - 1 || layout.HighBit >= layout.BitsAllocated)
        {
            throw new DicomException(
                DicomFault.Malformed,
                $"{file.Path}: rows {layout.Rows}, columns {layout.Columns}, frames {layout.Frames}, bits {layout.BitsAllocated}/{layout.BitsStored}/"
                + $"{layout.HighBit} (0028,0008-0102) are impossible together. The file is corrupt; export it again.");
        }

        var frameBytes = (long)layout.Rows * layout.Columns * layout.SamplesPerPixel * layout.BytesPerValue;
        if (layout.Frames > file.Limits.MaxFrames || frameBytes > Math.Min(file.Limits.MaxFrameBytes, Array.MaxLength) || frameBytes * layout.Frames > file.Limits.MaxPixelBytes)
        {
            throw new DicomException(
                DicomFault.LimitExceeded,
                $"{file.Path}: {layout.Frames} frames of {frameBytes} bytes. If the file is genuine, raise {nameof(DicomLimits.MaxFrames)}, "
                + $"{nameof(DicomLimits.MaxFrameBytes)} or {nameof(DicomLimits.MaxPixelBytes)}.");
        }
    }
}
