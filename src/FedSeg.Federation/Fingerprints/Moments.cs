namespace FedSeg.Federation.Fingerprints;

/// <summary>Weight, weighted sum and weighted sum of squares: mean and deviation that add up across sites.</summary>
public readonly record struct Moments(double Weight, double Sum, double SumOfSquares)
{
    public double Mean() => Sum / Weight;

    /// <summary>Population standard deviation.</summary>
    public double Deviation() => Math.Sqrt(Math.Max(0, SumOfSquares / Weight - Mean() * Mean()));

    /// <summary>Adds a case's values, which share its weight equally; sums in double, in order.</summary>
    public Moments WithCase(ReadOnlySpan<double> values, double caseWeight)
    {
        double sum = 0, squares = 0;
        foreach (var value in values)
        {
            sum += value;
            squares += value * value;
        }

        return this + new Moments(caseWeight, sum / values.Length * caseWeight, squares / values.Length * caseWeight);
    }

    public static Moments operator +(Moments a, Moments b) => new(a.Weight + b.Weight, a.Sum + b.Sum, a.SumOfSquares + b.SumOfSquares);
}
