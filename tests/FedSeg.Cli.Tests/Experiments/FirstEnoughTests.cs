using FedSeg.Cli.Experiments;

namespace FedSeg.Cli.Tests.Experiments;

public sealed class FirstEnoughTests
{
    private static readonly TimeSpan[] Minutes = [.. Enumerable.Range(1, 5).Select(minute => TimeSpan.FromMinutes(minute))];

    [Fact]
    public void Of_DiceThatFallsAgain_IsTheFirstRoundThatReachedItAndNoneBehindIsScored()
    {
        double[] dice = [double.NaN, 0.8499, 0.85, 0.6, 0.9];
        var scored = new List<int>();

        var first = FirstEnough.Of(Minutes, round =>
        {
            scored.Add(round);
            return dice[round - 1];
        });

        Assert.Equal(new FirstEnough(3, TimeSpan.FromMinutes(3)), first);
        Assert.Equal([1, 2, 3], scored);
    }

    [Fact]
    public void Of_NoRoundGoodEnough_IsNone() => Assert.Null(FirstEnough.Of(Minutes, _ => 0.849));
}
