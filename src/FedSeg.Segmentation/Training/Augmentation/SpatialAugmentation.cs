using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>
/// One draw of a rotation and scaling about a patch's centre; mirror images are <see cref="Mirror"/>'s. Image values are trilinear, labels nearest; outside the
/// image lies the mean (0 after z-scoring) and background.
/// </summary>
internal sealed class SpatialAugmentation
{
    private const double RotationProbability = 0.2;
    private const double ScaleProbability = 0.2;
    private const double SmallestScale = 0.7;
    private const double LargestScale = 1.4;

    private readonly double[]? _map;

    private SpatialAugmentation(double[]? map) => _map = map;

    /// <summary>Patch offset in voxels to image offset in voxels, row-major over z, y, x; empty for no change.</summary>
    internal ReadOnlySpan<double> Map => _map;

    /// <summary>No change: a plain crop.</summary>
    public static SpatialAugmentation None { get; } = new(null);

    /// <summary>Draws a change: turned in one of five patches by up to <see cref="LargestAngles"/>, scaled by 0.7 to 1.4 in one of five.</summary>
    /// <param name="random">The sample's own draws.</param>
    /// <param name="size">Voxels of the patch along z, y and x; a flat patch is turned and scaled in its plane only.</param>
    /// <param name="spacing">Voxel distance, mm.</param>
    public static SpatialAugmentation Draw(Random random, Index3 size, Vector3D spacing)
    {
        var turned = random.Chance(RotationProbability);
        var scaled = random.Chance(ScaleProbability);
        if (!turned && !scaled) return None;

        double[] angles = turned ? [.. LargestAngles(size).Select(largest => random.Uniform(-largest, largest))] : [0, 0, 0];
        double[] scales = [1, 1, 1];
        if (scaled) Array.Fill(scales, random.Factor(SmallestScale, LargestScale));
        if (IsFlat(size, out var across)) scales[across] = 1;
        return Of(angles, scales, spacing);
    }

    /// <summary>
    /// Largest angles about z, y and x, radians. 30 degrees each; a flat patch any angle in its plane, but one of a single slice that is much longer than wide
    /// 15 degrees. Source: nnU-Net v2.
    /// </summary>
    internal static double[] LargestAngles(Index3 size)
    {
        const double degree = Math.PI / 180;
        if (!IsFlat(size, out var across)) return [30 * degree, 30 * degree, 30 * degree];
        int[] extents = [size.Z, size.Y, size.X];
        int first = extents[(across + 1) % 3], second = extents[(across + 2) % 3];
        var angles = new double[3];
        angles[across] = (extents[across] == 1 && Math.Max(first, second) > 1.5 * Math.Min(first, second) ? 15 : 180) * degree;
        return angles;
    }

    /// <summary>
    /// Whether a patch is of a single slice, or more than three times as wide as high, in voxels: its slices lie so far apart that it is treated slice by slice.
    /// </summary>
    /// <param name="size">Voxels of the patch.</param>
    /// <param name="across">The axis across its slices, 0 for z: axial, coronal and sagittal series have different ones.</param>
    private static bool IsFlat(Index3 size, out int across)
    {
        int[] extents = [size.Z, size.Y, size.X];
        across = Array.IndexOf(extents, extents.Min());
        return extents[across] == 1 || extents.Max() > 3 * extents[across];
    }

    /// <summary>A given change; angles about z, y and x in radians; a scale above 1 shows the anatomy smaller.</summary>
    internal static SpatialAugmentation Of(double[] angles, double scale, Vector3D spacing) => Of(angles, [scale, scale, scale], spacing);

    private static SpatialAugmentation Of(double[] angles, double[] scales, Vector3D spacing)
    {
        var map = Multiply(Rotation(angles[0], 1, 2), Multiply(Rotation(angles[1], 0, 2), Rotation(angles[2], 0, 1)));
        double[] millimetres = [spacing.Z, spacing.Y, spacing.X];
        for (var row = 0; row < 3; row++)
        {
            // Rigid in millimetres, so voxels go to mm before it and back behind it.
            for (var column = 0; column < 3; column++) map[row * 3 + column] *= scales[row] * millimetres[column] / millimetres[row];
        }

        return new SpatialAugmentation(map);
    }

    /// <summary>
    /// Fills a patch, empty so far, whose unchanged first voxel would be <paramref name="start"/>. Beyond the image of a masked case lies what lies outside the body.
    /// </summary>
    public void Extract(PreparedCase source, Index3 start, Index3 size, Span<float> image, Span<byte> labels)
    {
        if (source.IsMasked) labels.Fill(PreparedCase.Outside);
        if (_map is null)
        {
            Crop(source, start, size, image, labels);
        }
        else
        {
            Warp(source, start, size, image, labels, _map);
        }
    }

    private static void Crop(PreparedCase source, Index3 start, Index3 size, Span<float> image, Span<byte> labels)
    {
        var voxels = source.Voxels;
        var classes = source.LabelVoxels;
        var from = source.Size;
        var firstX = Math.Max(0, -start.X);
        var length = Math.Min(size.X, from.X - start.X) - firstX;
        for (var z = Math.Max(0, -start.Z); z < Math.Min(size.Z, from.Z - start.Z); z++)
        {
            for (var y = Math.Max(0, -start.Y); y < Math.Min(size.Y, from.Y - start.Y); y++)
            {
                var read = ((z + start.Z) * from.Y + y + start.Y) * from.X + firstX + start.X;
                var write = (z * size.Y + y) * size.X + firstX;
                voxels.Slice(read, length).CopyTo(image[write..]);
                classes.Slice(read, length).CopyTo(labels[write..]);
            }
        }
    }

    private static void Warp(PreparedCase source, Index3 start, Index3 size, Span<float> image, Span<byte> labels, double[] map)
    {
        double halfZ = (size.Z - 1) / 2.0, halfY = (size.Y - 1) / 2.0, halfX = (size.X - 1) / 2.0;
        var voxels = source.Voxels;
        var classes = source.LabelVoxels;
        var from = source.Size;
        var write = 0;
        for (var z = 0; z < size.Z; z++)
        {
            for (var y = 0; y < size.Y; y++)
            {
                for (var x = 0; x < size.X; x++, write++)
                {
                    double dz = z - halfZ, dy = y - halfY, dx = x - halfX;
                    var atZ = start.Z + halfZ + map[0] * dz + map[1] * dy + map[2] * dx;
                    var atY = start.Y + halfY + map[3] * dz + map[4] * dy + map[5] * dx;
                    var atX = start.X + halfX + map[6] * dz + map[7] * dy + map[8] * dx;
                    image[write] = Trilinear(voxels, from, atZ, atY, atX);

                    int nearZ = (int)Math.Floor(atZ + 0.5), nearY = (int)Math.Floor(atY + 0.5), nearX = (int)Math.Floor(atX + 0.5);
                    var inside = (uint)nearZ < (uint)from.Z && (uint)nearY < (uint)from.Y && (uint)nearX < (uint)from.X;
                    if (inside) labels[write] = classes[(nearZ * from.Y + nearY) * from.X + nearX];
                }
            }
        }
    }

    private static float Trilinear(ReadOnlySpan<float> voxels, Index3 size, double z, double y, double x)
    {
        int z0 = (int)Math.Floor(z), y0 = (int)Math.Floor(y), x0 = (int)Math.Floor(x);
        float fz = (float)(z - z0), fy = (float)(y - y0), fx = (float)(x - x0);
        var value = 0f;
        for (var corner = 0; corner < 8; corner++)
        {
            int cz = z0 + (corner >> 2), cy = y0 + ((corner >> 1) & 1), cx = x0 + (corner & 1);
            if ((uint)cz >= (uint)size.Z || (uint)cy >= (uint)size.Y || (uint)cx >= (uint)size.X) continue;
            var weight = ((corner & 4) != 0 ? fz : 1 - fz) * ((corner & 2) != 0 ? fy : 1 - fy) * ((corner & 1) != 0 ? fx : 1 - fx);
            value += weight * voxels[(cz * size.Y + cy) * size.X + cx];
        }

        return value;
    }

    private static double[] Rotation(double angle, int first, int second)
    {
        double[] matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1];
        matrix[first * 4] = matrix[second * 4] = Math.Cos(angle);
        matrix[first * 3 + second] = -Math.Sin(angle);
        matrix[second * 3 + first] = Math.Sin(angle);
        return matrix;
    }

    private static double[] Multiply(double[] a, double[] b)
    {
        var product = new double[9];
        for (var row = 0; row < 3; row++)
        {
            for (var column = 0; column < 3; column++)
            {
                for (var k = 0; k < 3; k++) product[row * 3 + column] += a[row * 3 + k] * b[k * 3 + column];
            }
        }

        return product;
    }
}
