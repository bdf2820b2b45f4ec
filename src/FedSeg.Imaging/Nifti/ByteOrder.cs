using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FedSeg.Imaging.Nifti;

/// <summary>Turns voxels of the other byte order into this machine's, or back.</summary>
internal static class ByteOrder
{
    /// <summary>Reverses the bytes of each cell of <paramref name="width"/> bytes (1, 2, 4 or 8).</summary>
    public static void Reverse(Span<byte> bytes, int width)
    {
        switch (width)
        {
            case 2:
                var pairs = MemoryMarshal.Cast<byte, short>(bytes);
                BinaryPrimitives.ReverseEndianness(pairs, pairs);
                break;
            case 4:
                var words = MemoryMarshal.Cast<byte, int>(bytes);
                BinaryPrimitives.ReverseEndianness(words, words);
                break;
            case 8:
                var longs = MemoryMarshal.Cast<byte, long>(bytes);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }
}
