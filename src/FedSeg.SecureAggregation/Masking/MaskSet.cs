using System.Numerics;
using System.Runtime.InteropServices;

namespace FedSeg.SecureAggregation.Masking;

/// <summary>
/// Masks that are added to a vector of words or subtracted from it, modulo 2²⁴: those of one site's update, or those that are left in a
/// sum.
/// Masking one vector twice is harmless, masking two with the same set is not: they would give each other away.
/// </summary>
public sealed class MaskSet : IDisposable
{
    /// <summary>Words of a chunk; every chunk of a vector but the last has so many.</summary>
    public const int ChunkWords = MaskStream.ChunkWords;

    private readonly List<(MaskStream Stream, bool Add)> _streams = [];
    private readonly uint[] _mask = new uint[ChunkWords];

    internal MaskSet()
    {
    }

    /// <summary>Masks in the set.</summary>
    public int Count => _streams.Count;

    /// <summary>Applies every mask to one chunk.</summary>
    /// <param name="chunk">Its number, from 0.</param>
    /// <param name="words">At most <see cref="ChunkWords"/>; afterwards each is below 2²⁴.</param>
    public void Apply(long chunk, Span<uint> words)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(chunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(words.Length, ChunkWords);
        var mask = _mask.AsSpan(0, words.Length);
        foreach (var (stream, add) in _streams)
        {
            stream.Read(chunk, mask);
            // 32-bit words wrap at a multiple of 2^24, so the ring is left once, at the end.
            if (add) Add(words, mask);
            else Subtract(words, mask);
        }

        Words24.Reduce(words);
    }

    public void Dispose()
    {
        foreach (var (stream, _) in _streams) stream.Dispose();
        Array.Clear(_mask);
    }

    /// <param name="key">32 bytes; the caller clears them.</param>
    /// <param name="add">Whether the mask is added.</param>
    internal void Include(ReadOnlySpan<byte> key, bool add) => _streams.Add((new MaskStream(key), add));

    private static void Add(Span<uint> words, ReadOnlySpan<uint> mask)
    {
        var left = MemoryMarshal.Cast<uint, Vector<uint>>(words);
        var right = MemoryMarshal.Cast<uint, Vector<uint>>(mask);
        for (var i = 0; i < left.Length; i++) left[i] += right[i];
        for (var i = left.Length * Vector<uint>.Count; i < words.Length; i++) words[i] += mask[i];
    }

    private static void Subtract(Span<uint> words, ReadOnlySpan<uint> mask)
    {
        var left = MemoryMarshal.Cast<uint, Vector<uint>>(words);
        var right = MemoryMarshal.Cast<uint, Vector<uint>>(mask);
        for (var i = 0; i < left.Length; i++) left[i] -= right[i];
        for (var i = left.Length * Vector<uint>.Count; i < words.Length; i++) words[i] -= mask[i];
    }
}
