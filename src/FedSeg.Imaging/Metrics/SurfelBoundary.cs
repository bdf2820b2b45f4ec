using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// The surface of DeepMind's surface-distance: the corners between voxels whose eight neighbours (four in a single slice) are partly in
/// the mask, each weighted with the area (mm²; length, mm, in a slice) that marching cubes puts there. Nikolov et al., "Clinically
/// applicable segmentation of head and neck anatomy for radiotherapy", J Med Internet Res 23(7), 2021.
/// </summary>
internal static class SurfelBoundary
{
    /// <param name="mask">The mask.</param>
    /// <param name="spacingMm">Of its voxels.</param>
    /// <returns>
    /// One point more than voxels along each axis (the slice axis of a single slice excepted): corner i lies between voxels i − 1 and i.
    /// A code is the neighbours in the mask, bit 4z + 2y + x for the farther one along these axes.
    /// </returns>
    public static SurfaceMap Of(LabelMask mask, Vector3D spacingMm)
    {
        var size = new Index3(mask.IsPlane ? 1 : mask.Size.Z + 1, mask.Size.Y + 1, mask.Size.X + 1);
        var codes = new byte[checked(size.Z * size.Y * size.X)];
        Parallel.For(0, size.Z, z =>
        {
            for (var y = 0; y < size.Y; y++) Encode(mask, z, y, codes.AsSpan((z * size.Y + y) * size.X, size.X));
        });
        return new SurfaceMap(size, codes, mask.IsPlane ? MarchingCubes.LengthsMm(spacingMm) : MarchingCubes.AreasMm2(spacingMm));
    }

    private static void Encode(LabelMask mask, int z, int y, Span<byte> codes)
    {
        // Of a single slice, the nearer layer is the slice itself and the farther one stays empty.
        var near = mask.IsPlane ? z : z - 1;
        var nearFirst = mask.Row(near, y - 1);
        var nearSecond = mask.Row(near, y);
        var farFirst = mask.Row(near + 1, y - 1);
        var farSecond = mask.Row(near + 1, y);
        if (!(mask.HasAny(nearFirst) || mask.HasAny(nearSecond) || mask.HasAny(farFirst) || mask.HasAny(farSecond))) return;

        var whole = mask.IsPlane ? 0b1111 : 0b1111_1111;
        var left = 0;
        for (var x = 0; x < codes.Length; x++)
        {
            var right = x == nearFirst.Length
                ? 0
                : Bit(mask, nearFirst[x], 0) | Bit(mask, nearSecond[x], 2) | Bit(mask, farFirst[x], 4) | Bit(mask, farSecond[x], 6);
            var code = left | right << 1;
            if (code != whole) codes[x] = (byte)code;
            left = right;
        }
    }

    private static int Bit(LabelMask mask, byte voxel, int place) => mask.IsIn(voxel) ? 1 << place : 0;
}
