using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Pictures;

/// <summary>
/// One slice of an image as a picture, columns to the right and rows downwards as the scanner stored them, with square pixels; heat and
/// contours are drawn over it. It shows a patient.
/// </summary>
public sealed class SlicePicture
{
    private const double Opacity = 0.65;

    private readonly GridGeometry _grid;
    private readonly int _slice;
    private readonly int _width;
    private readonly int _height;
    private readonly Colour[] _pixels;

    /// <param name="image">The image.</param>
    /// <param name="slice">Which of its slices.</param>
    /// <param name="window">Values shown as black and as white.</param>
    /// <param name="leastWidth">Pixels of the wider side at least; voxels are enlarged by whole numbers or shown as they are.</param>
    public SlicePicture(Volume image, int slice, (double Black, double White) window, int leastWidth = 320)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slice);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slice, image.Grid.Size.Z);
        (_grid, _slice) = (image.Grid, slice);
        var (size, spacing) = (_grid.Size, _grid.SpacingMm);
        var (widthMm, heightMm) = (size.X * spacing.X, size.Y * spacing.Y);
        var finest = Math.Min(spacing.X, spacing.Y);
        var pixelMm = finest / Math.Max(1, Math.Ceiling(leastWidth * finest / Math.Max(widthMm, heightMm)));
        _width = (int)Math.Round(widthMm / pixelMm);
        _height = (int)Math.Round(heightMm / pixelMm);
        _pixels = new Colour[_width * _height];
        Draw((x, y, _) =>
        {
            var grey = (byte)Math.Round(255 * Math.Clamp((Smooth(image, x, y) - window.Black) / (window.White - window.Black), 0, 1));
            return new Colour(grey, grey, grey);
        });
    }

    /// <summary>The middle 98 % of an image's values: what a window shows best where nobody chose one.</summary>
    public static (double Black, double White) WindowOf(Volume image)
    {
        // Some hundred thousand voxels tell as much as all.
        var step = Math.Max(1, image.Voxels.Length / 200_000);
        var sample = new List<float>();
        for (var i = 0; i < image.Voxels.Length; i += step) sample.Add(image.Voxels[i]);
        sample.Sort();
        var (black, white) = (sample[sample.Count / 100], sample[sample.Count - 1 - sample.Count / 100]);
        return black < white ? (black, white) : (black - 1, black + 1);
    }

    /// <summary>
    /// Lays values over the picture, the more opaque the higher: from 0, where nothing is seen, to <paramref name="highest"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The values lie on another grid.</exception>
    public SlicePicture AddHeat(Volume values, double highest)
    {
        Require(values.Grid);
        if (!(highest > 0)) return this;
        return Draw((x, y, below) =>
        {
            var share = Math.Clamp(Smooth(values, x, y) / highest, 0, 1);
            return below.Under(Colour.OfHeat(0.25 + 0.75 * share), Opacity * share);
        });
    }

    /// <summary>Lays values of either sign over the picture: red above 0, blue below, the more opaque the farther from it.</summary>
    /// <exception cref="ArgumentException">The values lie on another grid.</exception>
    public SlicePicture AddSigned(Volume values, double highest)
    {
        Require(values.Grid);
        if (!(highest > 0)) return this;
        return Draw((x, y, below) =>
        {
            var share = Math.Clamp(Smooth(values, x, y) / highest, -1, 1);
            return below.Under(Colour.OfSign(share), Opacity * Math.Abs(share));
        });
    }

    /// <summary>Draws the outline of a label, inside it, one pixel wide.</summary>
    /// <exception cref="ArgumentException">The labels lie on another grid.</exception>
    public SlicePicture AddContour(LabelVolume labels, byte label, Colour colour)
    {
        Require(labels.Grid);
        bool IsIn(int column, int row) => column >= 0 && row >= 0 && column < _width && row < _height
            && labels.Labels[Nearest(column * _grid.Size.X / _width, row * _grid.Size.Y / _height)] == label;
        for (var row = 0; row < _height; row++)
        {
            for (var column = 0; column < _width; column++)
            {
                var isInside = IsIn(column, row);
                var isEdge = isInside
                    && !(IsIn(column - 1, row) && IsIn(column + 1, row) && IsIn(column, row - 1) && IsIn(column, row + 1));
                if (isEdge) _pixels[row * _width + column] = colour;
            }
        }

        return this;
    }

    public byte[] ToPng()
    {
        var rgb = new byte[3 * _pixels.Length];
        for (var i = 0; i < _pixels.Length; i++)
        {
            (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = (_pixels[i].Red, _pixels[i].Green, _pixels[i].Blue);
        }

        return PngWriter.Write(_width, _height, rgb);
    }

    /// <summary>Replaces each pixel, given its place in voxels and what is there.</summary>
    private SlicePicture Draw(Func<double, double, Colour, Colour> colourAt)
    {
        for (var row = 0; row < _height; row++)
        {
            for (var column = 0; column < _width; column++)
            {
                ref var pixel = ref _pixels[row * _width + column];
                pixel = colourAt((column + 0.5) * _grid.Size.X / _width - 0.5, (row + 0.5) * _grid.Size.Y / _height - 0.5, pixel);
            }
        }

        return this;
    }

    /// <summary>Linear between the four voxels around a place in the slice.</summary>
    private double Smooth(Volume image, double x, double y)
    {
        x = Math.Clamp(x, 0, _grid.Size.X - 1);
        y = Math.Clamp(y, 0, _grid.Size.Y - 1);
        var (left, above) = ((int)x, (int)y);
        var (right, below) = (Math.Min(left + 1, _grid.Size.X - 1), Math.Min(above + 1, _grid.Size.Y - 1));
        var upper = Between(image.Voxels[Nearest(left, above)], image.Voxels[Nearest(right, above)], x - left);
        var lower = Between(image.Voxels[Nearest(left, below)], image.Voxels[Nearest(right, below)], x - left);
        return Between(upper, lower, y - above);
    }

    private int Nearest(int x, int y) => (_slice * _grid.Size.Y + y) * _grid.Size.X + x;

    private static double Between(double first, double second, double fraction) => first + (second - first) * fraction;

    private void Require(GridGeometry grid)
    {
        if (grid != _grid) throw new ArgumentException($"The picture is of {_grid}, this lies on {grid}; resample it first.", nameof(grid));
    }
}
