using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Rounds;

public sealed class BlindSpecTests
{
    private static readonly BlindSpec Good = new() { Sites = SitesOf("east", "north", "south"), MaximumCases = 100, GridExponent = -15 };

    [Fact]
    public void Problem_GoodSpec_HasNone() => Assert.Null(Good.Problem());

    [Theory]
    [InlineData(10, 0.1)]
    [InlineData(100, 1)]
    [InlineData(400, 1)]
    [InlineData(0, 0)]
    public void ScaleOf_Cases_IsTheirShareOfAFullWeightAndNoMore(int cases, double scale)
    {
        Assert.Equal(scale, Good.ScaleOf(cases));
        Assert.Equal(scale * 100, Good.CountedCases(cases));
    }

    public static TheoryData<BlindSpec, string> Refused => new()
    {
        { Good with { Sites = SitesOf("east", "north") }, "3 to 128 sites" },
        { Good with { Sites = default }, "3 to 128 sites" },
        { Good with { Sites = SitesOf([.. Enumerable.Range(100, 129).Select(number => $"site{number}")]) }, "3 to 128 sites" },
        { Good with { Sites = SitesOf("north", "east", "south") }, "not in order" },
        { Good with { Sites = SitesOf("east", "east", "south") }, "not in order" },
        { Good with { MaximumCases = 0 }, "number of cases" },
        { Good with { GridExponent = 65 }, "grid" },
        { Good with { GridExponent = -101 }, "grid" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Problem_ImpossibleSpec_SaysWhat(BlindSpec spec, string problem) => Assert.Contains(problem, spec.Problem());

    private static ImmutableArray<SiteId> SitesOf(params string[] names) => [.. names.Select(name => SiteId.Parse(name))];
}
