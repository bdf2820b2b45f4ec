using FedSeg.Privacy.Accounting;
using FedSeg.Privacy.Noise;

namespace FedSeg.Privacy.Tests.Noise;

/// <summary>The generator can't be seeded, so what is asked of a sample holds for all but one in 10⁹ of them (6 standard errors).</summary>
public sealed class GaussianNoiseTests
{
    private const int Count = 400_001;

    [Fact]
    public void Fill_LargeSample_HasTheMomentsOfANormal()
    {
        var sample = Sample();

        var mean = sample.Average();
        var variance = sample.Average(value => value * value);
        var kurtosis = sample.Average(value => value * value * value * value);
        Assert.Equal(0, mean, 6 / Math.Sqrt(Count));
        Assert.Equal(1, variance, 6 * Math.Sqrt(2.0 / Count));
        Assert.Equal(3, kurtosis, 6 * Math.Sqrt(96.0 / Count));
        Assert.Equal(0, sample.Zip(sample.Skip(1), (a, b) => a * b).Average(), 6 / Math.Sqrt(Count));
    }

    [Fact]
    public void Fill_LargeSample_FollowsTheDistributionFunction()
    {
        var sample = Sample();
        Array.Sort(sample);

        // Kolmogorov and Smirnov: P(√n D > 3.3) is below 1e-9.
        var distance = sample.Select((value, i) => Math.Abs(NormalTail.Cumulative(value) - (i + 0.5) / Count)).Max();
        Assert.InRange(distance, 0, 3.3 / Math.Sqrt(Count));
    }

    [Fact]
    public void AddTo_Values_LieOnTheGridAroundWhatTheyWere()
    {
        const double deviation = 0.3;
        var values = Enumerable.Repeat(0.123456f, 20_000).ToArray();

        GaussianNoise.AddTo(values, deviation);

        var grid = GaussianNoise.GridOf(deviation);
        Assert.Equal(Math.ScaleB(1, -14), grid);
        Assert.All(values, value => Assert.Equal(0, Math.IEEERemainder(value, grid)));
        Assert.Equal(0.123456, values.Average(value => (double)value), 6 * deviation / Math.Sqrt(values.Length));
    }

    [Fact]
    public void Fill_Twice_IsNeverTheSame()
    {
        var (first, second) = (new double[8], new double[8]);
        GaussianNoise.Fill(first);
        GaussianNoise.Fill(second);

        Assert.NotEqual(first, second);
    }

    private static double[] Sample()
    {
        var sample = new double[Count];
        GaussianNoise.Fill(sample);
        return sample;
    }
}
