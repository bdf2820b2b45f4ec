using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Cropping;

/// <summary>A box of a grid's voxels: cuts images and labels down to it, and puts labels back where they were cut out.</summary>
public sealed class CropBox
{
    /// <param name="whole">The grid that is cut.</param>
    /// <param name="start">First voxel of the box.</param>
    /// <param name="size">Voxels along each axis, at least 1.</param>
    /// <exception cref="ArgumentException">The box does not lie in the grid.</exception>
    public CropBox(GridGeometry whole, Index3 start, Index3 size)
    {
        if (!Fits(start.Z, size.Z, whole.Size.Z) || !Fits(start.Y, size.Y, whole.Size.Y) || !Fits(start.X, size.X, whole.Size.X))
        {
            throw new ArgumentException($"A box of {size} at {start} does not lie in a grid of {whole.Size}.", nameof(size));
        }

        Start = start;
        Whole = whole;
        Part = size == whole.Size ? whole : whole with { Size = size, OriginMm = whole.PositionMm(start.Z, start.Y, start.X) };
    }

    public GridGeometry Whole { get; }

    /// <summary>First voxel of the box.</summary>
    public Index3 Start { get; }

    /// <summary>The box as a grid of its own; every voxel stays where it is in the patient.</summary>
    public GridGeometry Part { get; }

    /// <summary>Whether nothing is cut off.</summary>
    public bool IsWhole => Part.Size == Whole.Size;

    /// <summary>Voxels left as a share of all, above 0 to 1.</summary>
    public double ShareKept => (double)Part.VoxelCount / Whole.VoxelCount;

    /// <summary>Everything.</summary>
    public static CropBox All(GridGeometry grid) => new(grid, default, grid.Size);

    /// <summary>The smallest box that holds every voxel other than 0; everything, where there is none. Source: nnU-Net v2.</summary>
    public static CropBox OfNonzero(Volume image)
    {
        var size = image.Grid.Size;
        var low = new Index3(int.MaxValue, int.MaxValue, int.MaxValue);
        var high = new Index3(-1, -1, -1);
        for (var z = 0; z < size.Z; z++)
        {
            for (var y = 0; y < size.Y; y++)
            {
                var row = image.Voxels.AsSpan((z * size.Y + y) * size.X, size.X);
                var first = row.IndexOfAnyExcept(0f);
                if (first < 0) continue;
                low = new Index3(Math.Min(low.Z, z), Math.Min(low.Y, y), Math.Min(low.X, first));
                high = new Index3(z, Math.Max(high.Y, y), Math.Max(high.X, row.LastIndexOfAnyExcept(0f)));
            }
        }

        return high.Z < 0
            ? All(image.Grid)
            : new CropBox(image.Grid, low, new Index3(high.Z - low.Z + 1, high.Y - low.Y + 1, high.X - low.X + 1));
    }

    /// <exception cref="ArgumentException">The image is not on <see cref="Whole"/>.</exception>
    public Volume Cut(Volume image)
    {
        Require(image.Grid, Whole, nameof(image));
        return IsWhole ? image : new Volume(Part, Cut(image.Voxels));
    }

    /// <exception cref="ArgumentException">The labels are not on <see cref="Whole"/>.</exception>
    public LabelVolume Cut(LabelVolume labels)
    {
        Require(labels.Grid, Whole, nameof(labels));
        return IsWhole ? labels : new LabelVolume(Part, Cut(labels.Labels));
    }

    /// <summary>The labels in the grid they were cut from, background around them.</summary>
    /// <exception cref="ArgumentException">The labels are not on <see cref="Part"/>.</exception>
    public LabelVolume PutBack(LabelVolume labels)
    {
        Require(labels.Grid, Part, nameof(labels));
        return IsWhole ? labels : new LabelVolume(Whole, PutBack(labels.Labels));
    }

    /// <summary>The image in the grid it was cut from, zeros around it.</summary>
    /// <exception cref="ArgumentException">The image is not on <see cref="Part"/>.</exception>
    public Volume PutBack(Volume image)
    {
        Require(image.Grid, Part, nameof(image));
        return IsWhole ? image : new Volume(Whole, PutBack(image.Voxels));
    }

    private T[] PutBack<T>(T[] part)
    {
        var whole = new T[Whole.VoxelCount];
        for (var row = 0; row < Part.Size.Z * Part.Size.Y; row++)
        {
            part.AsSpan(row * Part.Size.X, Part.Size.X).CopyTo(whole.AsSpan(RowStart(row)));
        }

        return whole;
    }

    private T[] Cut<T>(T[] voxels)
    {
        var part = new T[Part.VoxelCount];
        for (var row = 0; row < Part.Size.Z * Part.Size.Y; row++)
        {
            voxels.AsSpan(RowStart(row), Part.Size.X).CopyTo(part.AsSpan(row * Part.Size.X));
        }

        return part;
    }

    private int RowStart(int row)
    {
        var (z, y) = (Start.Z + row / Part.Size.Y, Start.Y + row % Part.Size.Y);
        return (z * Whole.Size.Y + y) * Whole.Size.X + Start.X;
    }

    private static bool Fits(int start, int size, int whole) => start >= 0 && size >= 1 && size <= whole - start;

    private static void Require(GridGeometry actual, GridGeometry expected, string parameter)
    {
        if (actual != expected) throw new ArgumentException($"The grid is {actual}, this box is for {expected}.", parameter);
    }
}
