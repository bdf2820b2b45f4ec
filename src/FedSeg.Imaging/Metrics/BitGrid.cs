using System.Numerics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// A set of a grid's points, one bit each, so that 64 of them are worked on at once. A row has an empty word on either side of its own:
/// point x is bit x % 64 of word 1 + x / 64, and its neighbours can be read without looking where a row ends.
/// </summary>
internal sealed class BitGrid
{
    private const int Lead = 64;

    private readonly ulong[] _words;
    private readonly ulong[] _beyond;

    public BitGrid(Index3 size)
    {
        Size = size;
        WordsPerRow = (size.X + 63) / 64 + 2;
        _words = new ulong[checked(size.Z * size.Y * WordsPerRow)];
        _beyond = new ulong[WordsPerRow];
    }

    /// <summary>Points along each axis.</summary>
    public Index3 Size { get; }

    /// <summary>Words of a row with the two empty ones.</summary>
    public int WordsPerRow { get; }

    public bool IsEmpty => !_words.AsSpan().ContainsAnyExcept(0UL);

    /// <summary>The words of a row; of a row beyond the grid, none is set.</summary>
    public ReadOnlySpan<ulong> Row(int z, int y) =>
        (uint)z < (uint)Size.Z && (uint)y < (uint)Size.Y ? Words(z, y) : _beyond;

    /// <summary>The words of a row within the grid, to be written; the first and the last stay empty.</summary>
    public Span<ulong> Words(int z, int y) => _words.AsSpan((z * Size.Y + y) * WordsPerRow, WordsPerRow);

    /// <summary>The words of a whole slice.</summary>
    public ReadOnlySpan<ulong> Slice(int z) => _words.AsSpan(z * Size.Y * WordsPerRow, Size.Y * WordsPerRow);

    /// <summary>Each point's left neighbour in the point's own place.</summary>
    public static ulong LeftOf(ReadOnlySpan<ulong> row, int word) => row[word] << 1 | row[word - 1] >> 63;

    /// <summary>Each point's right neighbour in the point's own place.</summary>
    public static ulong RightOf(ReadOnlySpan<ulong> row, int word) => row[word] >> 1 | row[word + 1] << 63;

    public static bool IsSet(ReadOnlySpan<ulong> row, int x) => (row[1 + x / 64] >> (x % 64) & 1) == 1;

    /// <summary>Points between x and the nearest one of the row, at most 32 away; something above 31 where there is none.</summary>
    public static int StepsToNearest(ReadOnlySpan<ulong> row, int x)
    {
        // 64 points of which x is number 32.
        var first = Lead + x - 32;
        var (word, shift) = (first / 64, first % 64);
        var window = shift == 0 ? row[word] : row[word] >> shift | row[word + 1] << (64 - shift);
        return Math.Min(BitOperations.LeadingZeroCount(window << 31), BitOperations.TrailingZeroCount(window >> 32));
    }
}
