namespace FedSeg.RedTeam.Tests.Membership;

/// <summary>
/// Says of every patient how much it looks like a member; what is measured is how well that tells members from others. Source: Yeom et al.
/// 2018 (loss threshold); Carlini et al. 2022 for judging by true positives where few are false.
/// </summary>
/// <param name="Auc">Chance that a member looks more like one than another patient does; 0.5 says nothing.</param>
/// <param name="TruePositives">Share of members found where 1 % of the others are taken for members; 0.01 says nothing.</param>
internal sealed record Attacker(double Auc, double TruePositives)
{
    private const double FalsePositives = 0.01;

    public static Attacker Of(double[] members, double[] others)
    {
        Array.Sort(others);
        var auc = members.Average(score =>
            (Below(others, score, inclusive: false) + Below(others, score, inclusive: true)) / 2.0 / others.Length);
        var threshold = others[others.Length - 1 - (int)(FalsePositives * others.Length)];
        return new Attacker(auc, members.Count(score => score > threshold) / (double)members.Length);
    }

    private static int Below(double[] sorted, double value, bool inclusive)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (inclusive ? sorted[middle] <= value : sorted[middle] < value) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
