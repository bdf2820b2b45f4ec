namespace FedSeg.Dicom.Pixels;

/// <summary>One-bit pixels, packed from the lowest bit up (PS3.5 §8.1.1).</summary>
internal static class PackedBits
{
    /// <summary>Makes a byte 0 or 1 of each bit, from bit <paramref name="first"/> of <paramref name="packed"/> on.</summary>
    public static void Unpack(ReadOnlySpan<byte> packed, int first, Span<byte> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var bit = first + i;
            values[i] = (byte)(packed[bit >> 3] >> (bit & 7) & 1);
        }
    }
}
