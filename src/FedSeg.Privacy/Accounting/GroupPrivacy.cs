namespace FedSeg.Privacy.Accounting;

/// <summary>
/// What a guarantee for one record is worth for somebody who has several (Vadhan 2017, "The complexity of differential privacy", lemma
/// 2.2): ε becomes kε and δ becomes δ (e^(kε) − 1) / (e^ε − 1). It grows quickly; protecting patients instead of slices is better.
/// </summary>
public static class GroupPrivacy
{
    /// <summary>Smallest ε for a group at a δ.</summary>
    /// <param name="records">k, at least 1.</param>
    /// <param name="delta">δ for the whole group.</param>
    /// <param name="epsilonAt">ε for one record at ln δ; falls as δ grows.</param>
    /// <returns>Infinity when no δ above the smallest double is small enough for one record.</returns>
    public static double Epsilon(int records, double delta, Func<double, double> epsilonAt)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(records, 1);
        var logDelta = Math.Log(delta);
        if (records == 1) return epsilonAt(logDelta);

        const double smallest = -700;
        var (low, high) = (smallest, logDelta);
        if (LogGroupDelta(low) > logDelta) return double.PositiveInfinity;
        while (high - low > 1e-7 * Math.Abs(low))
        {
            var middle = (low + high) / 2;
            if (LogGroupDelta(middle) > logDelta) high = middle;
            else low = middle;
        }

        return records * epsilonAt(low);

        double LogGroupDelta(double logRecordDelta)
        {
            var epsilon = epsilonAt(logRecordDelta);
            // (e^(kε) − 1) / (e^ε − 1) = Σ e^(iε), i from 0 to k − 1: no overflow in logarithms.
            var sum = new SignedLogSum();
            for (var i = 0; i < records; i++) sum.Add(i * epsilon, 1);
            return logRecordDelta + sum.Log;
        }
    }
}
