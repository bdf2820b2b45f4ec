using System.Buffers;
using System.IO.Compression;
using System.Runtime.InteropServices;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>Deflated Image Frame Compression, PS3.5 §8.2.16 and §A.4.13: each frame's native bytes as one raw deflate stream; bits fill bytes frame by frame.</summary>
internal sealed class DeflatedFrameDecoder : IFrameDecoder
{
    public static DeflatedFrameDecoder Instance { get; } = new();

    public void Decode(ReadOnlyMemory<byte> encoded, PixelLayout layout, Span<byte> values, FrameContext context)
    {
        if (layout.BitsAllocated > 1)
        {
            Inflate(encoded, values, context);
            return;
        }

        var packedBytes = (values.Length + 7) / 8;
        var packed = ArrayPool<byte>.Shared.Rent(packedBytes);
        try
        {
            Inflate(encoded, packed.AsSpan(0, packedBytes), context);
            PackedBits.Unpack(packed, 0, values);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed);
        }
    }

    /// <summary>Takes as many bytes as the frame has; a bomb beyond them is never inflated.</summary>
    private static void Inflate(ReadOnlyMemory<byte> encoded, Span<byte> bytes, FrameContext context)
    {
        if (!MemoryMarshal.TryGetArray(encoded, out var array))
        {
            array = encoded.ToArray();
        }

        using var stream = new DeflateStream(new MemoryStream(array.Array!, array.Offset, array.Count, writable: false), CompressionMode.Decompress);
        try
        {
            if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            {
                throw Broken(context.Path, "it ends before the frame does", null);
            }
        }
        catch (InvalidDataException broken)
        {
            throw Broken(context.Path, "it is no deflate stream", broken);
        }
    }

    private static DicomException Broken(string path, string problem, Exception? inner)
    {
        var message = $"{path}: deflated frame: {problem}. The file is corrupt; fetch it again.";
        return inner is null ? new(DicomFault.Malformed, message) : new(DicomFault.Malformed, message, inner);
    }
}
