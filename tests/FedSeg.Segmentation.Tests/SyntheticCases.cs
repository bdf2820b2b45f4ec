using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Segmentation.Tests;

/// <summary>Bright balls in noise: label 1 is the lower half (small z), label 2 the upper.</summary>
internal static class SyntheticCases
{
    public static readonly string[] Labels = ["lower", "upper"];

    public static PreprocessingSpec Preprocessing(int patch = 16) => new() { Modality = "MR", SpacingMm = [1, 1, 1], PatchVoxels = [patch, patch, patch] };

    public static PreparedCase[] Make(int count, int size = 16, int seed = 1) => [.. Enumerable.Range(0, count).Select(i => Ball(size, $"patient-{i}", seed * 1000 + i))];

    public static PreparedCase Ball(int size, string patient, int seed)
    {
        var random = new Random(seed);
        var grid = Grid(size, size, size);
        var (image, labels) = (new float[grid.VoxelCount], new byte[grid.VoxelCount]);
        double centre = (size - 1) / 2.0, radius = size * (0.25 + 0.08 * random.NextDouble());
        double cz = centre + random.NextDouble() - 0.5, cy = centre + random.NextDouble() - 0.5, cx = centre + random.NextDouble() - 0.5;
        for (var i = 0; i < image.Length; i++)
        {
            double z = i / (size * size) - cz, y = i / size % size - cy, x = i % size - cx;
            var inside = z * z + y * y + x * x <= radius * radius;
            labels[i] = inside ? (byte)(z < 0 ? 1 : 2) : (byte)0;
            image[i] = (float)(100 + (inside ? 60 : 0) + 20 * random.NextDouble());
        }

        return Prepare(patient, new Volume(grid, image), new LabelVolume(grid, labels));
    }

    public static PreparedCase Prepare(string patient, Volume image, LabelVolume labels) =>
        new(patient, PreparedImage.From(image, Preprocessing()), labels, labels);

    /// <summary>1 mm voxels, axes along the patient's: index grows with z, y, x.</summary>
    public static GridGeometry Grid(int z, int y, int x) => new(
        new Index3(z, y, x),
        new Vector3D(1, 1, 1),
        new Vector3D(0, 0, 0),
        new AxisDirections(new Vector3D(0, 0, 1), new Vector3D(0, 1, 0), new Vector3D(1, 0, 0)));
}
