using System.Numerics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>Which points of a box carry a piece of a mask's surface, and how much each piece counts.</summary>
internal abstract class SurfaceMap(BitGrid points)
{
    public BitGrid Points { get; } = points;

    public Index3 Size => Points.Size;

    /// <summary>How much the piece at a point counts; above 0.</summary>
    public abstract double WeightAt(int z, int y, int x);

    /// <summary>How much some pieces of a word of 64 points count together.</summary>
    /// <param name="pieces">Which of the word's points.</param>
    /// <param name="z">The word's slice.</param>
    /// <param name="y">The word's row.</param>
    /// <param name="x">The word's first point.</param>
    public virtual double WeightOf(ulong pieces, int z, int y, int x)
    {
        var sum = 0.0;
        for (; pieces != 0; pieces &= pieces - 1) sum += WeightAt(z, y, x + BitOperations.TrailingZeroCount(pieces));
        return sum;
    }
}
