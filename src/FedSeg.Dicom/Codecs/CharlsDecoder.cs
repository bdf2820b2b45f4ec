using System.Buffers;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>
/// JPEG-LS, lossless and near-lossless (ITU-T T.87), by the system's CharLS. A JPEG-LS stream knows no sign: the caller takes it from BitsStored and
/// PixelRepresentation.
/// </summary>
internal sealed class CharlsDecoder(CharlsLibrary library) : IFrameDecoder
{
    private static ReadOnlySpan<byte> EndMarker => [0xFF, 0xD9];

    public void Decode(ReadOnlyMemory<byte> encoded, PixelLayout layout, Span<byte> values, FrameContext context)
    {
        if (!TryDecode(encoded.Span, layout, values, out var isPlanar))
        {
            throw new DicomException(
                DicomFault.Malformed,
                $"{context.Path}: JPEG-LS frame: CharLS could not decode it, or its size, bits or components are not what the DICOM header says. "
                + "The file is corrupt; fetch it again.");
        }

        context.Time.Check();
        if (layout.SamplesPerPixel > 1 && isPlanar != layout.IsPlanar)
        {
            Rearrange(values, layout, isPlanar);
        }
    }

    /// <summary>
    /// CharLS 2.4.1 spins for eight seconds when a corrupt scan reaches the end of the bytes and no marker stands there (found by the fuzz test), so one is
    /// put there always.
    /// </summary>
    private bool TryDecode(ReadOnlySpan<byte> encoded, PixelLayout layout, Span<byte> values, out bool isPlanar)
    {
        var ended = ArrayPool<byte>.Shared.Rent(encoded.Length + EndMarker.Length);
        try
        {
            encoded.CopyTo(ended);
            EndMarker.CopyTo(ended.AsSpan(encoded.Length));
            return library.TryDecode(ended.AsSpan(0, encoded.Length + EndMarker.Length), info => IsExpected(info, layout), values, out isPlanar);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(ended);
        }
    }

    private static bool IsExpected(CharlsLibrary.FrameInfo info, PixelLayout layout) =>
        info.Width == layout.Columns && info.Height == layout.Rows && info.Components == layout.SamplesPerPixel
        && (info.BitsPerSample + 7) / 8 == layout.BytesPerValue && layout.BitsAllocated > 1;

    /// <summary>CharLS writes samples as the stream interleaves them, the caller wants them as the header says.</summary>
    private static void Rearrange(Span<byte> values, PixelLayout layout, bool isPlanar)
    {
        var copy = ArrayPool<byte>.Shared.Rent(values.Length);
        values.CopyTo(copy);
        var (pixels, samples, width) = (layout.Rows * layout.Columns, layout.SamplesPerPixel, layout.BytesPerValue);
        for (var pixel = 0; pixel < pixels; pixel++)
        {
            for (var sample = 0; sample < samples; sample++)
            {
                var (planar, interleaved) = ((sample * pixels + pixel) * width, (pixel * samples + sample) * width);
                var (from, to) = isPlanar ? (planar, interleaved) : (interleaved, planar);
                copy.AsSpan(from, width).CopyTo(values[to..]);
            }
        }

        ArrayPool<byte>.Shared.Return(copy);
    }
}
