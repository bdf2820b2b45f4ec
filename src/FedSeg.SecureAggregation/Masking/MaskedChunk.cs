using System.Numerics;
using System.Runtime.InteropServices;

namespace FedSeg.SecureAggregation.Masking;

/// <summary>
/// Sums one chunk after the other of packed, masked updates and takes off the masks that are left in the sum. Memory is two chunks,
/// whatever the number of sites and the length of their updates.
/// </summary>
/// <param name="left">The masks that the survivors' masks don't cancel; stays the caller's.</param>
public sealed class MaskedChunk(MaskSet left)
{
    private readonly uint[] _sum = new uint[MaskSet.ChunkWords], _update = new uint[MaskSet.ChunkWords];
    private int _length;

    /// <summary>Begins a chunk of so many words, at most <see cref="MaskSet.ChunkWords"/>.</summary>
    public void Begin(int words)
    {
        _length = words;
        _sum.AsSpan(0, words).Clear();
    }

    /// <summary>Adds a site's chunk, packed.</summary>
    public void Add(ReadOnlySpan<byte> packed)
    {
        var update = _update.AsSpan(0, _length);
        Words24.Unpack(packed, update);
        var sum = MemoryMarshal.Cast<uint, Vector<uint>>(_sum.AsSpan());
        var added = MemoryMarshal.Cast<uint, Vector<uint>>(_update.AsSpan());
        // Whole vectors: what lies behind the chunk's end is never read.
        for (var i = 0; i * Vector<uint>.Count < _length; i++) sum[i] += added[i];
    }

    /// <summary>Takes off the masks.</summary>
    /// <param name="chunk">The chunk's number.</param>
    /// <returns>The sum of the sites' words, modulo 2²⁴; valid until the next chunk begins.</returns>
    public ReadOnlySpan<uint> Unmask(long chunk)
    {
        var sum = _sum.AsSpan(0, _length);
        left.Apply(chunk, sum);
        return sum;
    }
}
