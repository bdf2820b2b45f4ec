namespace FedSeg.Privacy.Accounting;

/// <summary>A sum of signed terms given by their logarithms: none overflows, and small terms keep their share.</summary>
internal struct SignedLogSum()
{
    private double _sum;
    private double _scale = double.NegativeInfinity;

    /// <summary>ln of the sum; NaN if it is negative.</summary>
    public readonly double Log => _scale + Math.Log(_sum);

    /// <summary>Adds sign · e^<paramref name="logarithm"/>.</summary>
    public void Add(double logarithm, int sign)
    {
        if (double.IsNegativeInfinity(logarithm)) return;
        if (logarithm > _scale)
        {
            _sum *= double.IsNegativeInfinity(_scale) ? 0 : Math.Exp(_scale - logarithm);
            _scale = logarithm;
        }

        _sum += sign * Math.Exp(logarithm - _scale);
    }
}
