namespace FedSeg.Privacy.Accounting;

/// <summary>
/// What one step shows of a patient with k records, each sampled by itself with probability q: Gaussian noise around the number of records
/// that were drawn, Σ over i of C(k, i) q^i (1 − q)^(k − i) N(i, σ²), beside N(0, σ²) without the patient.
/// </summary>
internal sealed class RecordMixture
{
    private readonly double _sigma;
    private readonly double[] _weights;

    /// <param name="q">Sampling rate, above 0.</param>
    /// <param name="sigma">Noise multiplier, above 0.</param>
    /// <param name="records">k, at least 1.</param>
    public RecordMixture(double q, double sigma, int records)
    {
        _sigma = sigma;
        _weights = new double[records + 1];
        var binomial = 1.0;
        for (var i = 0; i <= records; i++)
        {
            _weights[i] = binomial * Math.Pow(q, i) * Math.Pow(1 - q, records - i);
            binomial = binomial * (records - i) / (i + 1);
        }
    }

    public int Records => _weights.Length - 1;

    /// <summary>ln of the patient's density over the other's at noise <paramref name="z"/>; grows with z.</summary>
    public double Loss(double z)
    {
        var sum = new SignedLogSum();
        for (var i = 0; i < _weights.Length; i++)
        {
            if (_weights[i] > 0) sum.Add(Math.Log(_weights[i]) + (2 * i * z - i * i) / (2 * _sigma * _sigma), 1);
        }

        return sum.Log;
    }

    /// <summary>The noise at which the loss has a value; −infinity where no noise makes it so small.</summary>
    public double NoiseAt(double loss)
    {
        // ln(e^loss − weight of no record), also where e^loss itself would overflow.
        var logExcess = loss > 0 ? loss + Math.Log(1 - _weights[0] * Math.Exp(-loss)) : Math.Log(Math.Exp(loss) - _weights[0]);
        if (double.IsNaN(logExcess) || double.IsNegativeInfinity(logExcess)) return double.NegativeInfinity;
        // The first record's part alone, which the others only add to: exact for one record, and never too low for more.
        var high = _sigma * _sigma * (logExcess - Math.Log(Math.Max(_weights[1], double.Epsilon))) + 0.5;
        if (Records == 1) return high;

        var (low, width) = (high, _sigma);
        while (Loss(low) > loss) (low, width) = (low - width, 2 * width);
        while (Loss(high) < loss) high += _sigma;
        for (var middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2)
        {
            if (Loss(middle) > loss) high = middle;
            else low = middle;
        }

        return high;
    }

    /// <summary>Chance of noise up to z without the patient.</summary>
    public double OtherBelow(double z) => NormalTail.Cumulative(z / _sigma);

    /// <summary>Chance of more.</summary>
    public double OtherAbove(double z) => NormalTail.Cumulative(-z / _sigma);

    /// <summary>Chance of noise up to z with the patient.</summary>
    public double PatientBelow(double z) => Mix(i => NormalTail.Cumulative((z - i) / _sigma));

    /// <summary>Chance of more.</summary>
    public double PatientAbove(double z) => Mix(i => NormalTail.Cumulative((i - z) / _sigma));

    private double Mix(Func<int, double> chance)
    {
        var sum = 0.0;
        for (var i = 0; i < _weights.Length; i++) sum += _weights[i] * chance(i);
        return sum;
    }
}
