using FedSeg.Egress.Blind;
using FedSeg.Federation.Identity;

namespace FedSeg.Egress.Tests.Blind;

public sealed class MaskedRoundTests
{
    /// <summary>Thresholds: 3 of 3, 3 of 4, 4 of 5, 5 of 6, 7 of 10.</summary>
    [Theory]
    // Nobody can be left out of three: both sums have the same sites in them.
    [InlineData("abc", "abc", false)]
    // All four, and then three of them.
    [InlineData("abcd", "abcd", true)]
    [InlineData("abcde", "abcde", true)]
    [InlineData("abcd", "abc", true)]
    [InlineData("abc", "abcd", true)]
    // a, b, c, d of the first; the same and f of the second: two differ in who was asked, one in who is summed.
    [InlineData("abcde", "abcdfg", true)]
    // Sums of at least four of five share three at most.
    [InlineData("abcde", "abcfg", false)]
    [InlineData("abcdefghij", "abcdefgklm", true)]
    [InlineData("abcdefghij", "abcdefklmn", false)]
    [InlineData("abc", "ade", false)]
    public void MayIsolateASiteWith_SitesThatWereAsked_CountsWhoMayBeLeftOut(string first, string second, bool expected)
    {
        var masked = new MaskedRound(RunId.Parse("run-1"), 1, Sha256Digest.Of("base"u8), [.. Sites(first)]);

        Assert.Equal(expected, masked.MayIsolateASiteWith([.. Sites(second)]));
        Assert.Equal(BruteForce(first, second), expected);
    }

    /// <summary>Every pair of sums that the thresholds allow.</summary>
    private static bool BruteForce(string first, string second) => Sums(first).Any(one => Sums(second).Any(other => int.PopCount(one ^ other) == 1));

    private static IEnumerable<int> Sums(string sites)
    {
        var all = sites.Sum(site => 1 << (site - 'a'));
        return Enumerable.Range(0, 1 << 15).Where(sum => (sum & ~all) == 0 && int.PopCount(sum) >= 2 * sites.Length / 3 + 1);
    }

    private static IEnumerable<SiteId> Sites(string sites) => sites.Select(site => SiteId.Parse($"site-{site}"));
}
