using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Cropping;

/// <summary>
/// The voxels of a body that was cut free, as skull-stripping leaves it: all that are not 0, and the zeros within them that no path over
/// faces of zeros leads out of the image. The same set as scipy.ndimage's <c>binary_fill_holes(image != 0)</c>. Source: nnU-Net v2.
/// </summary>
public static class NonzeroMask
{
    /// <returns>One entry a voxel in memory order <c>[z, y, x]</c>.</returns>
    public static bool[] Of(Volume image)
    {
        var mask = new bool[image.Voxels.Length];
        Array.Fill(mask, true);
        var flood = new Flood(image, mask);
        var (depth, rows, columns) = image.Grid.Size;
        for (var z = 0; z < depth; z++)
        {
            for (var y = 0; y < rows; y++)
            {
                // Of a row inside the image only the two ends lie on its surface.
                var step = z == 0 || z == depth - 1 || y == 0 || y == rows - 1 ? 1 : Math.Max(1, columns - 1);
                for (var x = 0; x < columns; x += step) flood.From(z, y, x);
            }
        }

        return mask;
    }

    /// <summary>Takes zeros that hang together out of a mask.</summary>
    private sealed class Flood(Volume image, bool[] mask)
    {
        private readonly Index3 _size = image.Grid.Size;
        private readonly Stack<int> _open = new();

        public void From(int z, int y, int x)
        {
            Reach((z * _size.Y + y) * _size.X + x);
            while (_open.TryPop(out var voxel)) ReachNeighbours(voxel);
        }

        private void ReachNeighbours(int voxel)
        {
            var (rows, columns) = (_size.Y, _size.X);
            var (z, y, x) = (voxel / (rows * columns), voxel / columns % rows, voxel % columns);
            if (x > 0) Reach(voxel - 1);
            if (x < columns - 1) Reach(voxel + 1);
            if (y > 0) Reach(voxel - columns);
            if (y < rows - 1) Reach(voxel + columns);
            if (z > 0) Reach(voxel - rows * columns);
            if (z < _size.Z - 1) Reach(voxel + rows * columns);
        }

        private void Reach(int voxel)
        {
            if (!mask[voxel] || image.Voxels[voxel] != 0) return;
            mask[voxel] = false;
            _open.Push(voxel);
        }
    }
}
