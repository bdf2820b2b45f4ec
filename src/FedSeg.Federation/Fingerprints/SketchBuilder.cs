namespace FedSeg.Federation.Fingerprints;

/// <summary>Fills a sketch case by case; sums in double, in the order given.</summary>
public sealed class SketchBuilder(SketchBins bins)
{
    private readonly int[] _cases = new int[bins.Count];
    private readonly double[] _weights = new double[bins.Count];
    private readonly double[] _sums = new double[bins.Count];
    private readonly int[] _lastCase = new int[bins.Count];
    private int _case;

    /// <summary>Adds a case's only value, with weight 1.</summary>
    public void AddCase(double value) => AddCase([value], caseWeight: 1);

    /// <summary>Adds a case's values, which share its weight equally.</summary>
    /// <exception cref="ArgumentException">A value is NaN or infinite.</exception>
    public void AddCase(ReadOnlySpan<double> values, double caseWeight)
    {
        _case++;
        var weight = caseWeight / values.Length;
        foreach (var value in values)
        {
            if (!double.IsFinite(value)) throw new ArgumentException($"{value} can't be counted.", nameof(values));
            var index = bins.IndexOf(value);
            if (_lastCase[index] != _case) _cases[index]++;
            _lastCase[index] = _case;
            _weights[index] += weight;
            _sums[index] += weight * value;
        }
    }

    /// <summary>The sketch of all cases so far, nothing suppressed.</summary>
    public Sketch Build() => new()
    {
        Bins = bins,
        Filled =
        [
            .. Enumerable.Range(0, bins.Count)
                .Where(i => _cases[i] > 0)
                .Select(i => new SketchBin(i, _cases[i], _weights[i], _sums[i])),
        ],
        SuppressedWeight = 0,
    };
}
