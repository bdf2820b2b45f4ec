using FedSeg.Imaging.Volumes;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Explanation;

/// <summary>
/// One window of a prepared image, zeros where it reaches beyond: what a network sees at once, and maps of it can be put back.
/// </summary>
/// <param name="Start">Its first voxel in the image; below 0 where the image is smaller.</param>
/// <param name="Size">Its voxels.</param>
internal sealed record WindowCut(Index3 Start, Index3 Size)
{
    /// <summary>The window about a voxel, moved so that it stays in the image where that is larger.</summary>
    public static WindowCut Around(Index3 centre, Index3 image, Index3 size) => new(
        new Index3(First(centre.Z, image.Z, size.Z), First(centre.Y, image.Y, size.Y), First(centre.X, image.X, size.X)), size);

    /// <summary>The window's voxels as network input <c>[1, 1, D, H, W]</c>, on the CPU.</summary>
    public Tensor Of(Volume image)
    {
        var voxels = new float[Size.Z * Size.Y * Size.X];
        ForEachRow(image.Grid.Size, (inWindow, inImage, length) => image.Voxels.AsSpan(inImage, length).CopyTo(voxels.AsSpan(inWindow)));
        return tensor(voxels, [1, 1, Size.Z, Size.Y, Size.X]);
    }

    /// <summary>A map of the window on the image's grid, 0 around it.</summary>
    public Volume PutBack(float[] map, GridGeometry grid)
    {
        var voxels = new float[grid.VoxelCount];
        ForEachRow(grid.Size, (inWindow, inImage, length) => map.AsSpan(inWindow, length).CopyTo(voxels.AsSpan(inImage)));
        return new Volume(grid, voxels);
    }

    /// <summary>First voxel in the window, first in the image and length of each row that both share.</summary>
    private void ForEachRow(Index3 image, Action<int, int, int> copy)
    {
        var (first, end) = (Math.Max(0, Start.X), Math.Min(image.X, Start.X + Size.X));
        for (var z = Math.Max(0, Start.Z); z < Math.Min(image.Z, Start.Z + Size.Z); z++)
        {
            for (var y = Math.Max(0, Start.Y); y < Math.Min(image.Y, Start.Y + Size.Y); y++)
            {
                var inWindow = ((z - Start.Z) * Size.Y + y - Start.Y) * Size.X + first - Start.X;
                copy(inWindow, (z * image.Y + y) * image.X + first, end - first);
            }
        }
    }

    private static int First(int centre, int image, int window) =>
        image <= window ? -((window - image) / 2) : Math.Clamp(centre - window / 2, 0, image - window);
}
