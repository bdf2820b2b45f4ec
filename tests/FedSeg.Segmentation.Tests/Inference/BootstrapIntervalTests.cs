using FedSeg.Segmentation.Inference;

namespace FedSeg.Segmentation.Tests.Inference;

public sealed class BootstrapIntervalTests
{
    [Fact]
    public void OfMean_ManyPatients_IsAboutTheNormalInterval()
    {
        // 1, 2, …, 200: mean 100.5, deviation sqrt((200² − 1) / 12), so 1.96 standard errors are 8.0.
        var interval = BootstrapInterval.OfMean([.. Enumerable.Range(1, 200).Select(value => (IReadOnlyList<double>)[value])], seed: 1);

        var half = 1.96 * Math.Sqrt((200.0 * 200 - 1) / 12 / 200);
        // 2000 resamples leave the ends a standard error of about 0.3.
        Assert.Equal(100.5 - half, interval.Low, 1.0);
        Assert.Equal(100.5 + half, interval.High, 1.0);
    }

    [Fact]
    public void OfMean_CasesOfOnePatient_AreDrawnTogether()
    {
        // Two patients, each with many equal cases: only the means 0, 0.5 and 1 can come up, and the ends are 0 and 1.
        var interval = BootstrapInterval.OfMean([Enumerable.Repeat(0.0, 50).ToList(), Enumerable.Repeat(1.0, 50).ToList()], seed: 1);

        Assert.Equal(new BootstrapInterval(0, 1), interval);
    }

    [Fact]
    public void OfMean_SameSeed_IsTheSame()
    {
        IReadOnlyList<double>[] patients = [[0.3], [0.8], [0.9], [0.7]];

        Assert.Equal(BootstrapInterval.OfMean(patients, seed: 4), BootstrapInterval.OfMean(patients, seed: 4));
    }

    [Fact]
    public void OfMean_NoValue_IsNotANumber() => Assert.Equal(double.NaN, BootstrapInterval.OfMean([[], []], seed: 1).Low);
}
