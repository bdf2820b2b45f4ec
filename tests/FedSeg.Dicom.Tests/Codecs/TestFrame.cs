using FedSeg.Dicom.Codecs;
using FedSeg.Dicom.Pixels;
using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Tests.Codecs;

/// <summary>Decodes bare frames without a file around them.</summary>
internal static class TestFrame
{
    public static FrameContext Context { get; } = new("test.dcm", new TimeLimit(DicomLimits.Default, TimeSpan.FromHours(1), nameof(DicomLimits.MaxFrameTime), "test.dcm"));

    public static PixelLayout Layout(int rows, int columns, int bits, int samples = 1) => new()
    {
        Rows = rows,
        Columns = columns,
        Frames = 1,
        SamplesPerPixel = samples,
        BitsAllocated = bits > 8 ? 16 : 8,
        BitsStored = bits,
        HighBit = bits - 1,
        IsSigned = false,
        Photometric = samples == 1 ? "MONOCHROME2" : "YBR_FULL",
        IsPlanar = false,
    };

    public static int[] Decode(IFrameDecoder decoder, byte[] encoded, PixelLayout layout)
    {
        var values = new byte[layout.FrameBytes];
        decoder.Decode(encoded, layout, values, Context);
        return [.. Enumerable.Range(0, layout.ValuesPerFrame).Select(i => layout.BytesPerValue == 1 ? values[i] : BitConverter.ToUInt16(values, 2 * i))];
    }
}
