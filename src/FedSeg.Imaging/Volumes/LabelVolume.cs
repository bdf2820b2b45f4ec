namespace FedSeg.Imaging.Volumes;

/// <summary>A label map on a regular grid: one class index per voxel in memory order <c>[z, y, x]</c>; 0 is background.</summary>
public sealed class LabelVolume
{
    /// <exception cref="ArgumentException">The number of voxels does not fit the grid.</exception>
    public LabelVolume(GridGeometry grid, byte[] labels)
    {
        if (labels.Length != grid.VoxelCount)
        {
            throw new ArgumentException($"The grid has {grid.VoxelCount} voxels, the buffer {labels.Length}.", nameof(labels));
        }

        Grid = grid;
        Labels = labels;
    }

    public GridGeometry Grid { get; }

    /// <summary>The class of each voxel, owned by this volume; index = (z · rows + y) · columns + x.</summary>
    public byte[] Labels { get; }
}
