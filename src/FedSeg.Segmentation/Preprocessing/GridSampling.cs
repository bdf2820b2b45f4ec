using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// Reads what lies on one grid at the voxel centres of another, by patient position: reorienting and resampling in one pass, in either direction.
/// Outside the source the nearest voxel counts.
/// </summary>
internal sealed class GridSampling
{
    private readonly GridGeometry _from;
    private readonly GridGeometry _to;

    // Source index (z, y, x) of the target's first voxel, and its change along each target axis.
    private readonly Vector3D _start;
    private readonly Vector3D _alongZ;
    private readonly Vector3D _alongY;
    private readonly Vector3D _alongX;

    public GridSampling(GridGeometry from, GridGeometry to)
    {
        _from = from;
        _to = to;
        _start = ToSourceIndex(to.OriginMm - from.OriginMm);
        _alongZ = ToSourceIndex(to.Directions.Slice * to.SpacingMm.Z);
        _alongY = ToSourceIndex(to.Directions.Row * to.SpacingMm.Y);
        _alongX = ToSourceIndex(to.Directions.Column * to.SpacingMm.X);
    }

    /// <summary>Trilinear values on the target grid.</summary>
    public float[] Linear(ReadOnlySpan<float> source)
    {
        var target = new float[_to.VoxelCount];
        var size = _from.Size;
        var write = 0;
        for (var z = 0; z < _to.Size.Z; z++)
        {
            for (var y = 0; y < _to.Size.Y; y++)
            {
                var row = _start + _alongZ * z + _alongY * y;
                for (var x = 0; x < _to.Size.X; x++)
                {
                    var (z0, z1, fz) = Neighbours(row.Z + _alongX.Z * x, size.Z);
                    var (y0, y1, fy) = Neighbours(row.Y + _alongX.Y * x, size.Y);
                    var (x0, x1, fx) = Neighbours(row.X + _alongX.X * x, size.X);
                    int near = (z0 * size.Y + y0) * size.X, nearDown = (z0 * size.Y + y1) * size.X;
                    int far = (z1 * size.Y + y0) * size.X, farDown = (z1 * size.Y + y1) * size.X;
                    target[write++] = Mix(
                        Mix(Mix(source[near + x0], source[near + x1], fx), Mix(source[nearDown + x0], source[nearDown + x1], fx), fy),
                        Mix(Mix(source[far + x0], source[far + x1], fx), Mix(source[farDown + x0], source[farDown + x1], fx), fy),
                        fz);
                }
            }
        }

        return target;
    }

    /// <summary>The class of the nearest voxel, on the target grid.</summary>
    public byte[] Nearest(ReadOnlySpan<byte> source)
    {
        var target = new byte[_to.VoxelCount];
        var size = _from.Size;
        var write = 0;
        for (var z = 0; z < _to.Size.Z; z++)
        {
            for (var y = 0; y < _to.Size.Y; y++)
            {
                var row = _start + _alongZ * z + _alongY * y;
                for (var x = 0; x < _to.Size.X; x++)
                {
                    var at = row + _alongX * x;
                    target[write++] = source[(Round(at.Z, size.Z) * size.Y + Round(at.Y, size.Y)) * size.X + Round(at.X, size.X)];
                }
            }
        }

        return target;
    }

    private Vector3D ToSourceIndex(Vector3D millimetres) => new(
        millimetres.Dot(_from.Directions.Column) / _from.SpacingMm.X,
        millimetres.Dot(_from.Directions.Row) / _from.SpacingMm.Y,
        millimetres.Dot(_from.Directions.Slice) / _from.SpacingMm.Z);

    private static (int Low, int High, float Fraction) Neighbours(double at, int size)
    {
        var clamped = Math.Clamp(at, 0, size - 1);
        var low = (int)clamped;
        return (low, Math.Min(low + 1, size - 1), (float)(clamped - low));
    }

    private static int Round(double at, int size) => Math.Clamp((int)Math.Floor(at + 0.5), 0, size - 1);

    private static float Mix(float low, float high, float fraction) => low + (high - low) * fraction;
}
