using System.Buffers.Binary;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>RLE Lossless, PS3.5 Annex G: one PackBits segment for each byte plane of each sample, most significant byte first.</summary>
internal sealed class RleDecoder : IFrameDecoder
{
    private const int HeaderBytes = 64;

    public static RleDecoder Instance { get; } = new();

    public void Decode(ReadOnlyMemory<byte> encoded, PixelLayout layout, Span<byte> values, FrameContext context)
    {
        var (path, time) = (context.Path, context.Time);
        var bytes = encoded.Span;
        var planes = layout.SamplesPerPixel * layout.BytesPerValue;
        if (layout.BitsAllocated == 1 || bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != planes || planes > 15)
        {
            throw Broken(path, $"the header does not announce {planes} segments");
        }

        var pixels = layout.Rows * layout.Columns;
        for (var plane = 0; plane < planes; plane++)
        {
            time.Check();
            var start = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + 4 * plane)..]);
            var end = plane + 1 < planes ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[(8 + 4 * plane)..]) : (uint)bytes.Length;
            if (start < HeaderBytes || start > end || end > bytes.Length)
            {
                throw Broken(path, $"segment {plane} lies outside the frame");
            }

            var sample = plane / layout.BytesPerValue;
            var significance = layout.BytesPerValue - 1 - plane % layout.BytesPerValue;
            // Colour samples come plane by plane and are handed on the way the header says.
            var stride = layout.IsPlanar ? layout.BytesPerValue : layout.BytesPerValue * layout.SamplesPerPixel;
            var offset = layout.IsPlanar ? sample * pixels * layout.BytesPerValue : sample * layout.BytesPerValue;
            Unpack(bytes[(int)start..(int)end], values[(offset + significance)..], stride, pixels, path);
        }
    }

    private static void Unpack(ReadOnlySpan<byte> packed, Span<byte> destination, int stride, int count, string path)
    {
        var written = 0;
        for (var i = 0; i < packed.Length && written < count;)
        {
            var control = (sbyte)packed[i++];
            if (control == -128)
            {
                continue;
            }

            var run = control >= 0 ? control + 1 : 1 - control;
            if (control >= 0 ? i + run > packed.Length : i >= packed.Length)
            {
                throw Broken(path, "a run reaches past its segment");
            }

            for (var k = 0; k < run && written < count; k++, written++)
            {
                destination[written * stride] = control >= 0 ? packed[i + k] : packed[i];
            }

            i += control >= 0 ? run : 1;
        }

        if (written < count)
        {
            throw Broken(path, $"a segment holds {written} of {count} bytes");
        }
    }

    private static DicomException Broken(string path, string problem) =>
        new(DicomFault.Malformed, $"{path}: RLE frame: {problem}. The file is corrupt; fetch it again.");
}
