namespace FedSeg.Privacy.Accounting;

/// <summary>
/// The privacy loss of one step on a grid, made so that it never looks better than it is: the mass between two grid points goes to these two points in the only way that keeps both
/// probabilities, with and without the patient ("connect the dots", Doroshenko et al. 2022). What is beyond the grid counts as a loss of infinity, what is below it as
/// the lowest point. The error falls with the square of the grid's step.
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

    /// <summary>Range of the loss when the noise stays within <paramref name="reach"/> standard deviations of either mean.</summary>
    public static (double Low, double High) Range(double q, double sigma, Neighbour neighbour, double reach)
    {
        var low = Loss(q, sigma, -reach * sigma);
        var high = Loss(q, sigma, (neighbour == Neighbour.Removed ? 1 : 0) + reach * sigma);
        return neighbour == Neighbour.Removed ? (low, high) : (-high, -low);
    }

    /// <summary>One step of the sampled Gaussian mechanism.</summary>
    /// <param name="q">Sampling rate, above 0.</param>
    /// <param name="sigma">Noise multiplier, above 0.</param>
    /// <param name="neighbour">Which of the two distributions is the one that is drawn from.</param>
    /// <param name="step">The grid's step.</param>
    /// <param name="reach">Standard deviations of noise that the grid covers.</param>
    public static PrivacyLossDistribution Of(double q, double sigma, Neighbour neighbour, double step, double reach)
    {
        var (low, high) = Range(q, sigma, neighbour, reach);
        var first = (long)Math.Floor(low / step);
        var count = (int)((long)Math.Ceiling(high / step) - first) + 1;
        var masses = new double[count];
        var edges = new CellEdge[count];
        for (var i = 0; i < count; i++) edges[i] = CellEdge.At((first + i) * step, q, sigma, neighbour);

        var lowest = edges[0].Below(neighbour, q);
        masses[0] = lowest;
        // Between x and x e^h, the mass b without the patient and a with: the upper point gets (a − x b) / (1 − e^−h), the lower point the rest.
        var share = 1 - Math.Exp(-step);
        for (var i = 0; i + 1 < count; i++)
        {
            var (drawn, other) = CellEdge.Between(edges[i], edges[i + 1], neighbour, q);
            var upper = other == 0 ? drawn : Math.Clamp((drawn - Math.Exp((first + i) * step) * other) / share, 0, drawn);
            masses[i + 1] += upper;
            masses[i] += drawn - upper;
        }

        return new PrivacyLossDistribution(first, masses, edges[^1].Above(neighbour, q), step);
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

    /// <summary>ln((1 − q) + q e^((2z − 1) / 2σ²)).</summary>
    private static double Loss(double q, double sigma, double z)
    {
        var exponent = (2 * z - 1) / (2 * sigma * sigma);
        return q == 1 ? exponent : exponent > 0 ? exponent + Math.Log(q + (1 - q) * Math.Exp(-exponent)) : Math.Log(1 - q + q * Math.Exp(exponent));
    }

    /// <summary>Where a loss lies in the noise, and how much of N(0, σ²) and N(1, σ²) lies on either side.</summary>
    private readonly record struct CellEdge(double ZeroBelow, double ZeroAbove, double OneBelow, double OneAbove)
    {
        public static CellEdge At(double loss, double q, double sigma, Neighbour neighbour)
        {
            var mixtureLoss = neighbour == Neighbour.Removed ? loss : -loss;
            var excess = Math.Exp(mixtureLoss) - (1 - q);
            if (excess <= 0) return new CellEdge(0, 1, 0, 1);
            var z = sigma * sigma * Math.Log(excess / q) + 0.5;
            return new CellEdge(NormalTail.Cumulative(z / sigma), NormalTail.Cumulative(-z / sigma), NormalTail.Cumulative((z - 1) / sigma), NormalTail.Cumulative((1 - z) / sigma));
        }

        /// <summary>Mass of the drawn and of the other distribution between two losses, from whichever tail is the smaller.</summary>
        public static (double Drawn, double Other) Between(CellEdge lower, CellEdge upper, Neighbour neighbour, double q)
        {
            // With the patient added instead of removed a higher loss lies at lower noise.
            var (left, right) = neighbour == Neighbour.Removed ? (lower, upper) : (upper, lower);
            var zero = Difference(left.ZeroBelow, right.ZeroBelow, left.ZeroAbove, right.ZeroAbove);
            var one = Difference(left.OneBelow, right.OneBelow, left.OneAbove, right.OneAbove);
            var mixture = (1 - q) * zero + q * one;
            return neighbour == Neighbour.Removed ? (mixture, zero) : (zero, mixture);
        }

        /// <summary>Mass of the drawn distribution at smaller losses.</summary>
        public double Below(Neighbour neighbour, double q) => neighbour == Neighbour.Removed ? (1 - q) * ZeroBelow + q * OneBelow : ZeroAbove;

        /// <summary>Mass of the drawn distribution at greater losses.</summary>
        public double Above(Neighbour neighbour, double q) => neighbour == Neighbour.Removed ? (1 - q) * ZeroAbove + q * OneAbove : ZeroBelow;

        private static double Difference(double leftBelow, double rightBelow, double leftAbove, double rightAbove) =>
            Math.Max(0, rightBelow < 0.5 ? rightBelow - leftBelow : leftAbove - rightAbove);
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
