using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

/// <summary>Label maps of label 1 with simple shapes.</summary>
internal static class LabelMaps
{
    public static LabelVolume Boxes(Index3 size, Vector3D spacing, params (Index3 From, Index3 To)[] boxes)
    {
        var grid = new GridGeometry(size, spacing, new(0, 0, 0), new(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)));
        var labels = new byte[grid.VoxelCount];
        foreach (var (from, to) in boxes)
            for (var z = from.Z; z < to.Z; z++)
            for (var y = from.Y; y < to.Y; y++)
            for (var x = from.X; x < to.X; x++)
                labels[(z * size.Y + y) * size.X + x] = 1;
        return new LabelVolume(grid, labels);
    }

    /// <summary>A ball in a cube of 99³ voxels.</summary>
    public static LabelVolume Sphere(double radiusMm, Index3 centreMm, Vector3D spacing)
    {
        var map = Boxes(new(99, 99, 99), spacing);
        for (var i = 0; i < map.Labels.Length; i++)
        {
            var dz = i / 9801 * spacing.Z - centreMm.Z;
            var dy = i / 99 % 99 * spacing.Y - centreMm.Y;
            var dx = i % 99 * spacing.X - centreMm.X;
            if (dz * dz + dy * dy + dx * dx <= radiusMm * radiusMm) map.Labels[i] = 1;
        }

        return map;
    }
}
