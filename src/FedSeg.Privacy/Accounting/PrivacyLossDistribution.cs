namespace FedSeg.Privacy.Accounting;

/// <summary>
/// The privacy loss of one step on a grid, made so that it never looks better than it is: the mass between two grid points goes to these
/// two points in the only way that keeps both probabilities, with and without the patient ("connect the dots", Doroshenko et al. 2022).
/// What is beyond the grid counts as a loss of infinity, what is below it as the lowest point. The error falls with the square of the
/// grid's step.
/// </summary>
internal sealed class PrivacyLossDistribution
{
    private PrivacyLossDistribution(long first, double[] masses, double infinite, double step)
    {
        First = first;
        Masses = masses;
        Infinite = infinite;
        Step = step;
    }

    /// <summary>Index of the lowest grid point: its loss is <c>First · Step</c>.</summary>
    public long First { get; }

    /// <summary>Probability of each grid point's loss, from the lowest on.</summary>
    public double[] Masses { get; }

    /// <summary>Probability of a loss of infinity.</summary>
    public double Infinite { get; }

    public double Step { get; }

    /// <summary>Range of the loss while the noise stays within <paramref name="reach"/> (in σ) of its means.</summary>
    public static (double Low, double High) Range(RecordMixture mixture, double sigma, Neighbour neighbour, double reach)
    {
        var low = mixture.Loss(-reach * sigma);
        var high = mixture.Loss((neighbour == Neighbour.Removed ? mixture.Records : 0) + reach * sigma);
        return neighbour == Neighbour.Removed ? (low, high) : (-high, -low);
    }

    /// <summary>One step.</summary>
    /// <param name="mixture">What the step shows of the patient.</param>
    /// <param name="neighbour">Which of the two distributions is drawn from.</param>
    /// <param name="range">Losses that the grid covers.</param>
    /// <param name="step">The grid's step.</param>
    public static PrivacyLossDistribution Of(RecordMixture mixture, Neighbour neighbour, (double Low, double High) range, double step)
    {
        var first = (long)Math.Floor(range.Low / step);
        var masses = new double[(int)((long)Math.Ceiling(range.High / step) - first) + 1];
        var lower = Edge.At(first * step, mixture, neighbour);
        masses[0] = lower.DrawnBelow;
        // Between x and x e^h, the mass b without the patient and a with: the upper point gets (a − x b) / (1 − e^−h), the lower point the
        // rest.
        var share = 1 - Math.Exp(-step);
        for (var i = 0; i + 1 < masses.Length; i++)
        {
            var upper = Edge.At((first + i + 1) * step, mixture, neighbour);
            var drawn = Between(lower.DrawnBelow, upper.DrawnBelow, lower.DrawnAbove, upper.DrawnAbove);
            var other = Between(lower.OtherBelow, upper.OtherBelow, lower.OtherAbove, upper.OtherAbove);
            var ratio = Math.Exp((first + i) * step);
            // Where the ratio overflows all goes up: against us.
            var up = double.IsInfinity(ratio) ? drawn : Math.Clamp((drawn - ratio * other) / share, 0, drawn);
            masses[i + 1] += up;
            masses[i] += drawn - up;
            lower = upper;
        }

        return new PrivacyLossDistribution(first, masses, lower.DrawnAbove, step);
    }

    /// <summary>ln E e^(λ loss) over the finite losses.</summary>
    public double LogMoment(double lambda)
    {
        var sum = new SignedLogSum();
        for (var i = 0; i < Masses.Length; i++)
        {
            if (Masses[i] > 0) sum.Add(Math.Log(Masses[i]) + lambda * (First + i) * Step, 1);
        }

        return sum.Log;
    }

    /// <summary>The mass between two edges, from whichever tail is the smaller.</summary>
    private static double Between(double lowerBelow, double upperBelow, double lowerAbove, double upperAbove) =>
        Math.Max(0, upperBelow < 0.5 ? upperBelow - lowerBelow : lowerAbove - upperAbove);

    /// <summary>How much of the drawn and of the other distribution has a smaller, and how much a greater loss.</summary>
    private readonly record struct Edge(double DrawnBelow, double DrawnAbove, double OtherBelow, double OtherAbove)
    {
        public static Edge At(double loss, RecordMixture mixture, Neighbour neighbour)
        {
            // Drawn without the patient, the loss is the mixture's with its sign changed, so that a smaller loss is more noise.
            var z = mixture.NoiseAt(neighbour == Neighbour.Removed ? loss : -loss);
            return neighbour == Neighbour.Removed
                ? new Edge(mixture.PatientBelow(z), mixture.PatientAbove(z), mixture.OtherBelow(z), mixture.OtherAbove(z))
                : new Edge(mixture.OtherAbove(z), mixture.OtherBelow(z), mixture.PatientAbove(z), mixture.PatientBelow(z));
        }
    }
}

/// <summary>The two directions in which data sets differ by one patient; a guarantee covers both.</summary>
internal enum Neighbour
{
    /// <summary>The drawn data set has the patient, the other has not.</summary>
    Removed,

    /// <summary>The drawn data set lacks the patient.</summary>
    Added,
}
