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

    /// <summary>
    /// The same of a mean and a deviation that tell no more than planning needs: three significant digits of the deviation, and the mean to the same place. Images
    /// normalised by them are moved by less than a hundredth of a deviation.
    /// </summary>
    public Moments Rounded()
    {
        const int digits = 3;
        var (mean, deviation) = (Mean(), Deviation());
        var scale = deviation > 0 ? deviation : Math.Abs(mean);
        if (!(scale > 0)) return this;
        var places = digits - 1 - (int)Math.Floor(Math.Log10(scale));
        var (told, toldDeviation) = (RoundTo(mean, places), RoundTo(deviation, places));
        return new Moments(Weight, Weight * told, Weight * (toldDeviation * toldDeviation + told * told));
    }

    private static double RoundTo(double value, int places)
    {
        var step = Math.Pow(10, Math.Abs(places));
        return places >= 0 ? Math.Round(value * step) / step : Math.Round(value / step) * step;
    }

    public static Moments operator +(Moments a, Moments b) => new(a.Weight + b.Weight, a.Sum + b.Sum, a.SumOfSquares + b.SumOfSquares);
}
