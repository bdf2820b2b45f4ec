using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>Which points of a box carry a piece of a mask's surface, and how much each piece counts.</summary>
/// <param name="Size">Points along each axis.</param>
/// <param name="Codes">The kind of piece at each point in memory order <c>[z, y, x]</c>; 0 where there is no surface.</param>
/// <param name="Weights">How much a piece of each kind counts; above 0 for every kind that occurs.</param>
internal sealed record SurfaceMap(Index3 Size, byte[] Codes, double[] Weights)
{
    public ReadOnlySpan<byte> Slice(int z) => Codes.AsSpan(z * Size.Y * Size.X, Size.Y * Size.X);
}
