using FedSeg.Cli.Benchmarks;

namespace FedSeg.Cli.Tests.Benchmarks;

public sealed class SpreadTests
{
    [Fact]
    public void Of_OddCount_HasTheMiddleValue() => Assert.Equal(new Spread(2, 1, 9), Spread.Of([9, 1, 2]));

    [Fact]
    public void Of_EvenCount_HasTheMeanOfTheTwoInTheMiddle() => Assert.Equal(new Spread(2.5, 1, 9), Spread.Of([9, 3, 1, 2]));
}
