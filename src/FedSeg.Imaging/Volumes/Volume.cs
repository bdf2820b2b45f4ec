namespace FedSeg.Imaging.Volumes;

/// <summary>
/// A scalar image on a regular grid: one float per voxel in memory order <c>[z, y, x]</c>, in the modality's unit (HU for CT, arbitrary for
/// MR).
/// </summary>
public sealed class Volume
{
    /// <exception cref="ArgumentException">The number of voxels does not fit the grid.</exception>
    public Volume(GridGeometry grid, float[] voxels)
    {
        if (voxels.Length != grid.VoxelCount)
        {
            throw new ArgumentException($"The grid has {grid.VoxelCount} voxels, the buffer {voxels.Length}.", nameof(voxels));
        }

        Grid = grid;
        Voxels = voxels;
    }

    public GridGeometry Grid { get; }

    /// <summary>The voxel values, owned by this volume; index = (z · rows + y) · columns + x.</summary>
    public float[] Voxels { get; }
}
