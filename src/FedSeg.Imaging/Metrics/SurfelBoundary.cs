using System.Numerics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// The surface of DeepMind's surface-distance: the corners between voxels whose eight neighbours (four in a single slice) are partly in
/// the mask, each weighted with the area (mm²; length, mm, in a slice) that marching cubes puts there. Nikolov et al., "Clinically
/// applicable segmentation of head and neck anatomy for radiotherapy", J Med Internet Res 23(7), 2021. One point more than voxels along
/// each axis (the slice axis of a single slice excepted): corner i lies between voxels i − 1 and i.
/// </summary>
internal sealed class SurfelBoundary : SurfaceMap
{
    private readonly BitGrid _voxels;
    private readonly double[] _weights;

    // Rows of voxels around a corner: in a single slice, those before and behind it; else these of both neighbouring slices.
    private readonly int _slicesAround;

    private SurfelBoundary(BitGrid points, LabelMask mask, Vector3D spacingMm)
        : base(points)
    {
        _voxels = mask.Voxels;
        _slicesAround = mask.IsPlane ? 1 : 2;
        _weights = mask.IsPlane ? MarchingCubes.LengthsMm(spacingMm) : MarchingCubes.AreasMm2(spacingMm);
        Parallel.For(0, points.Size.Z, z =>
        {
            for (var y = 0; y < points.Size.Y; y++) MarkRow(z, y, points.Words(z, y));
        });
    }

    /// <param name="mask">The mask.</param>
    /// <param name="spacingMm">Of its voxels.</param>
    public static SurfelBoundary Of(LabelMask mask, Vector3D spacingMm)
    {
        var size = mask.Voxels.Size;
        var corners = new Index3(mask.IsPlane ? 1 : size.Z + 1, size.Y + 1, size.X + 1);
        return new SurfelBoundary(new BitGrid(corners), mask, spacingMm);
    }

    public override double WeightAt(int z, int y, int x) => WeightOf(1UL << (x % 64), z, y, x - x % 64);

    public override double WeightOf(ulong pieces, int z, int y, int x)
    {
        if (pieces == 0) return 0;
        Span<ulong> neighbours = stackalloc ulong[8];
        Neighbours(z, y, 1 + x / 64, neighbours);
        var sum = 0.0;
        for (; pieces != 0; pieces &= pieces - 1) sum += _weights[Code(neighbours, BitOperations.TrailingZeroCount(pieces))];
        return sum;
    }

    /// <summary>Bit 4z + 2y + x says whether the voxel on the farther side along these axes is in the mask.</summary>
    private static int Code(ReadOnlySpan<ulong> neighbours, int corner)
    {
        var code = 0UL;
        for (var i = 0; i < neighbours.Length; i++) code |= (neighbours[i] >> corner & 1) << i;
        return (int)code;
    }

    private void MarkRow(int z, int y, Span<ulong> points)
    {
        Span<ulong> neighbours = stackalloc ulong[8];
        for (var word = 1; word < points.Length - 1; word++)
        {
            Neighbours(z, y, word, neighbours);
            var (any, all) = (0UL, ulong.MaxValue);
            foreach (var voxels in neighbours[..(4 * _slicesAround)])
            {
                any |= voxels;
                all &= voxels;
            }

            points[word] = any & ~all;
        }
    }

    /// <summary>
    /// For a word of 64 corners, the voxels that lie around each, in the order of <see cref="Code"/>; in a single slice four.
    /// </summary>
    private void Neighbours(int z, int y, int word, Span<ulong> neighbours)
    {
        var row = 0;
        for (var slice = 0; slice < _slicesAround; slice++)
        {
            for (var behind = 0; behind < 2; behind++, row++)
            {
                var voxels = _voxels.Row(z + slice + 1 - _slicesAround, y - 1 + behind);
                // A row of corners may need a word more than the voxels have.
                neighbours[2 * row] = word < voxels.Length ? BitGrid.LeftOf(voxels, word) : 0;
                neighbours[2 * row + 1] = word < voxels.Length ? voxels[word] : 0;
            }
        }
    }
}
