using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Resampling;

/// <summary>
/// From class scores (logits or probabilities) that arrive plane by plane to the most likely class of every voxel of another grid over the
/// same box: scores are resampled linearly, by <see cref="SeparateAxis"/> where slices are thick, and the highest wins, the lower class on
/// a tie. Never more than two planes of scores are held, whatever the number of slices. Not for several threads at once.
/// </summary>
public sealed class ScoreLabelling
{
    private readonly int _classes;
    private readonly GridGeometry _from;
    private readonly GridGeometry _to;
    private readonly int _maxThreads;
    private readonly AxisTaps _zs, _ys, _xs;
    private readonly byte[] _labels;

    // The last two planes, already on the target's rows and columns: [classes, y, x].
    private float[] _previous;
    private float[] _latest;
    private int _received;
    private int _labelled;

    /// <param name="classes">Scores a voxel, 1 to 256.</param>
    /// <param name="from">The scores' grid.</param>
    /// <param name="to">The labels' grid.</param>
    /// <param name="maxThreads">Largest number of threads used, -1 for all of the machine's; the result does not depend on it.</param>
    /// <exception cref="ArgumentException">The grids do not cover the same box.</exception>
    public ScoreLabelling(int classes, GridGeometry from, GridGeometry to, int maxThreads = -1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(classes, 256);
        Resampler.RequireSameBox(from, to);
        (_classes, _from, _to, _maxThreads) = (classes, from, to, maxThreads);
        var separate = SeparateAxis.Of(from.SpacingMm, to.SpacingMm);
        _zs = new AxisTaps(from.Size.Z, to.Size.Z, separate == 0);
        _ys = new AxisTaps(from.Size.Y, to.Size.Y, separate == 1);
        _xs = new AxisTaps(from.Size.X, to.Size.X, separate == 2);
        _labels = new byte[to.VoxelCount];
        _previous = new float[checked(classes * to.Size.Y * to.Size.X)];
        _latest = new float[_previous.Length];
    }

    /// <summary>Takes the scores of the next slice.</summary>
    /// <param name="plane"><c>[classes, y, x]</c> on the scores' grid; not looked at again after the call.</param>
    public void Add(float[] plane)
    {
        if (plane.Length != _classes * _from.Size.Y * _from.Size.X)
        {
            throw new ArgumentException(
                $"A plane of {_from.Size.Y} × {_from.Size.X} voxels and {_classes} classes can't have {plane.Length} scores.",
                nameof(plane));
        }

        if (_received == _from.Size.Z) throw new InvalidOperationException($"All {_received} planes are there already.");
        (_previous, _latest) = (_latest, _previous);
        ResampleInPlane(plane);
        _received++;
        // A slice lies between the last two planes as soon as the upper one is there.
        while (_labelled < _to.Size.Z && _zs.Second[_labelled] < _received) LabelSlice(_labelled++);
    }

    /// <summary>The labels, once every plane was added.</summary>
    public LabelVolume Finish() => _received == _from.Size.Z
        ? new LabelVolume(_to, _labels)
        : throw new InvalidOperationException($"Only {_received} of {_from.Size.Z} planes were added.");

    private void ResampleInPlane(float[] plane)
    {
        var (rows, columns, width) = (_to.Size.Y, _to.Size.X, _from.Size.X);
        Parallel.For(0, _classes * rows, new ParallelOptions { MaxDegreeOfParallelism = _maxThreads }, line =>
        {
            var (label, y) = (line / rows, line % rows);
            var first = plane.AsSpan((label * _from.Size.Y + _ys.First[y]) * width, width);
            var second = plane.AsSpan((label * _from.Size.Y + _ys.Second[y]) * width, width);
            var target = _latest.AsSpan(line * columns, columns);
            for (var x = 0; x < columns; x++)
            {
                var (left, right, across) = (_xs.First[x], _xs.Second[x], _xs.Fraction[x]);
                var upper = Between(first[left], first[right], across);
                var lower = Between(second[left], second[right], across);
                target[x] = (float)Between(upper, lower, _ys.Fraction[y]);
            }
        });
    }

    private void LabelSlice(int z)
    {
        var first = _zs.First[z] == _received - 1 ? _latest : _previous;
        var second = _zs.Second[z] == _received - 1 ? _latest : _previous;
        var along = _zs.Fraction[z];
        var plane = _to.Size.Y * _to.Size.X;
        Parallel.For(0, _to.Size.Y, new ParallelOptions { MaxDegreeOfParallelism = _maxThreads }, y =>
        {
            var labels = _labels.AsSpan(z * plane + y * _to.Size.X, _to.Size.X);
            for (var x = 0; x < labels.Length; x++)
            {
                var at = y * _to.Size.X + x;
                var best = Between(first[at], second[at], along);
                for (var label = 1; label < _classes; label++)
                {
                    at += plane;
                    var score = Between(first[at], second[at], along);
                    if (score <= best) continue;
                    best = score;
                    labels[x] = (byte)label;
                }
            }
        });
    }

    private static double Between(double first, double second, double fraction) => first + (second - first) * fraction;
}
