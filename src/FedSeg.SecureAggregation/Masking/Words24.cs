using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FedSeg.Federation.Rounds;

namespace FedSeg.SecureAggregation.Masking;

/// <summary>
/// Numbers modulo 2²⁴ as they travel: three bytes each, little-endian, without gaps. A signed level is its remainder; sums of up to 256
/// levels of 16 bits stay inside.
/// </summary>
public static class Words24
{
    public const int BytesPerWord = BlindSpec.BytesPerWeight;
    private const uint Remainder = 0xFF_FFFF;

    // A group of four words is 16 bytes unpacked and 12 packed; the vector that carries it is 16 bytes in both places.
    private const int Group = 4, GroupBytes = Group * BytesPerWord;

    private static readonly Vector128<byte> Packing = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
    private static readonly Vector128<byte> Unpacking = Vector128.Create((byte)0, 1, 2, 255, 3, 4, 5, 255, 6, 7, 8, 255, 9, 10, 11, 255);

    /// <summary>The word of a level.</summary>
    public static uint FromLevel(int level) => (uint)level & Remainder;

    /// <summary>The level of a word, −2²³ to 2²³ − 1.</summary>
    public static int ToLevel(uint word) => (int)(word << 8) >> 8;

    /// <summary>Brings every word below 2²⁴.</summary>
    public static void Reduce(Span<uint> words)
    {
        foreach (ref var word in words) word &= Remainder;
    }

    /// <summary>Packs words; what they have above 24 bits is lost.</summary>
    /// <param name="words">Any number.</param>
    /// <param name="bytes">Three times as many.</param>
    public static void Pack(ReadOnlySpan<uint> words, Span<byte> bytes)
    {
        CheckLengths(bytes.Length, words.Length);
        var (i, at) = (0, 0);
        if (BitConverter.IsLittleEndian)
        {
            var source = MemoryMarshal.AsBytes(words);
            for (; at + Vector128<byte>.Count <= bytes.Length; i += Group, at += GroupBytes)
            {
                Vector128.Shuffle(
                    Vector128.Create<byte>(source.Slice(i * sizeof(uint), Vector128<byte>.Count)), Packing).CopyTo(bytes[at..]);
            }
        }

        for (; i < words.Length; i++, at += BytesPerWord)
        {
            (bytes[at], bytes[at + 1], bytes[at + 2]) = ((byte)words[i], (byte)(words[i] >> 8), (byte)(words[i] >> 16));
        }
    }

    /// <summary>Unpacks words.</summary>
    /// <param name="bytes">Three for each word.</param>
    /// <param name="words">Each below 2²⁴ afterwards.</param>
    public static void Unpack(ReadOnlySpan<byte> bytes, Span<uint> words)
    {
        CheckLengths(bytes.Length, words.Length);
        var (i, at) = (0, 0);
        if (BitConverter.IsLittleEndian)
        {
            var target = MemoryMarshal.AsBytes(words);
            for (; at + Vector128<byte>.Count <= bytes.Length; i += Group, at += GroupBytes)
            {
                Vector128.Shuffle(
                    Vector128.Create<byte>(bytes.Slice(at, Vector128<byte>.Count)), Unpacking).CopyTo(target[(i * sizeof(uint))..]);
            }
        }

        for (; i < words.Length; i++, at += BytesPerWord) words[i] = bytes[at] | (uint)bytes[at + 1] << 8 | (uint)bytes[at + 2] << 16;
    }

    private static void CheckLengths(int bytes, int words)
    {
        if (bytes != (
            long)words * BytesPerWord) throw new ArgumentException($"{words} words have {(long)words * BytesPerWord} bytes, not {bytes}.");
    }
}
