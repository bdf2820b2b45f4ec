using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation.Masking;
using FedSeg.SecureAggregation.Server;

namespace FedSeg.SecureAggregation.Tests.Protocol;

/// <summary>
/// What the protocol is for: the sum comes out to the bit, whoever of the permitted number leaves whenever, and a single update does not.
/// </summary>
public sealed class SecureSumTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(30)]
    public void Run_WithEverybodyThere_GivesThePlainSumBitForBit(int sites)
    {
        using var sum = new TestSum(sites, words: 70_001);

        var unmasked = sum.Run([], [], [], []);

        Assert.Equal(sum.PlainSum(), unmasked);
        Assert.Equal(sites, sum.Masked.Count);
    }

    /// <summary>As many as the threshold spares: 1 of 5, 3 of 10, 9 of 30, in every step.</summary>
    [Theory]
    [InlineData(5, 1)]
    [InlineData(10, 3)]
    [InlineData(30, 9)]
    public void Run_WithThirtyPercentGone_GivesTheSumOfTheOthersBitForBit(int sites, int gone)
    {
        for (var step = 0; step < 4; step++)
        {
            using var sum = new TestSum(sites);
            SiteId[] leaving = [.. sum.Context.Sites.Where((_, place) => place % (sites / gone) == 1).Take(gone)];
            Assert.Equal(gone, leaving.Length);

            var unmasked = sum.Run(step == 0 ? leaving : [], step == 1 ? leaving : [], step == 2 ? leaving : [], step == 3 ? leaving : []);

            Assert.Equal(sum.PlainSum(), unmasked);
            // Who left after the masked update had arrived is in the sum.
            Assert.Equal(step == 3 ? sites : sites - gone, sum.Masked.Count);
        }
    }

    [Fact]
    public void Run_WithSitesLeavingInEveryStep_GivesThePlainSum()
    {
        using var sum = new TestSum(30);
        var sites = sum.Context.Sites;

        var unmasked = sum.Run([sites[0], sites[29]], [sites[5], sites[6]], [sites[1], sites[15], sites[28]], [sites[10], sites[20]]);

        Assert.Equal(sum.PlainSum(), unmasked);
        Assert.Equal(23, sum.Masked.Count);
    }

    [Theory]
    [InlineData(5, 4)]
    [InlineData(10, 7)]
    [InlineData(30, 21)]
    [InlineData(100, 67)]
    public void Threshold_OfSites_IsMoreThanTwoThirds(int sites, int threshold) => Assert.Equal(threshold, SumContext.ThresholdOf(sites));

    [Fact]
    public void OneMoreGoneThanSpared_InAnyStep_EndsTheSum()
    {
        using var keys = new TestSum(5);
        foreach (var site in keys.Context.Sites.Take(
            3)) Assert.Null(keys.Server.Accept(SumStage.Keys, site, TestSum.Message(keys.Clients[site].Advertise())));
        Assert.Equal(AbortReason.TooFewSites, keys.Server.Close());

        using var masked = new TestSum(5);
        masked.AdvertiseAll();
        masked.DealAll();
        Assert.Equal(AbortReason.TooFewSites, masked.Server.Close([.. masked.Context.Sites.Take(3)]));
        Assert.Throws<InvalidOperationException>(() => masked.Server.Recover());
    }

    /// <summary>Bits of a masked update are those of chance: half of them set, and none of the plain words left.</summary>
    [Fact]
    public void MaskedUpdate_OfZeros_LooksLikeChance()
    {
        using var sum = new TestSum(3, words: 50_000);
        foreach (var plain in sum.Plain.Values) Array.Clear(plain);
        sum.Run([], [], [], []);

        var words = sum.Masked[sum.Context.Sites[1]];
        for (var bit = 0; bit < 24; bit++)
        {
            // Five standard deviations of 50 000 fair coins are 559.
            Assert.InRange(words.Count(word => (word >> bit & 1) == 1), 25_000 - 559, 25_000 + 559);
        }

        Assert.True(words.Distinct().Count() > 49_000);
    }

    [Fact]
    public void Keys_OfTwoRounds_AreNeverTheSame()
    {
        using var authority = new TestAuthority();
        using var first = new TestSum(3, authority: authority);
        using var second = new TestSum(3, authority: authority, round: 2);
        foreach (var site in first.Context.Sites) second.Plain[site] = first.Plain[site];

        first.Run([], [], [], []);
        second.Run([], [], [], []);

        Assert.All(first.Context.Sites, site => Assert.NotEqual(first.Masked[site], second.Masked[site]));
    }

    [Fact]
    public void TakeMasks_Twice_IsRefused()
    {
        using var sum = new TestSum(3);
        sum.AdvertiseAll();
        sum.DealAll();
        sum.Mask(sum.Context.Sites[0]);

        Assert.Throws<InvalidOperationException>(() => sum.Clients[sum.Context.Sites[0]].TakeMasks());
    }

    [Fact]
    public void Server_FedTheSameMessagesAgain_RecoversTheSameMasks()
    {
        using var sum = new TestSum(5);
        var stored = new List<(SumStage Stage, SiteId Site, byte[] Message)>();
        var (site0, gone) = (sum.Context.Sites[0], sum.Context.Sites[4]);
        var again = new SumServer(sum.Context, sum.Authority.Check);
        SiteId[] survivors = [.. sum.Context.Sites.Take(4)];

        Feed(SumStage.Keys, sum.Context.Sites, site => sum.Clients[site].Advertise());
        Feed(SumStage.Shares, sum.Context.Sites, site => sum.Clients[site].AnswerRoster(sum.Server.MessageAfter(SumStage.Keys, site)));
        sum.MaskAll(gone);
        Feed(SumStage.Confirmations, survivors, site => sum.Clients[site].AnswerSurvivors(sum.Server.MessageAfter(SumStage.Masked, site)));
        Feed(SumStage.Disclosures, survivors, site =>
            sum.Clients[site].AnswerConfirmations(sum.Server.MessageAfter(SumStage.Confirmations, site)));
        foreach (var stage in new[] { SumStage.Keys, SumStage.Shares, SumStage.Masked, SumStage.Confirmations, SumStage.Disclosures })
        {
            foreach (var (_, site, message) in stored.Where(message =>
                message.Stage == stage)) Assert.Null(again.Accept(stage, site, message));
            Assert.Null(again.Close(stage == SumStage.Masked ? survivors : null));
        }

        using var masks = sum.Server.Recover().Masks!;
        using var same = again.Recover().Masks!;
        uint[] first = [.. sum.Masked[site0]], second = [.. sum.Masked[site0]];
        masks.Apply(0, first);
        same.Apply(0, second);
        Assert.Equal(first, second);

        void Feed(SumStage stage, IEnumerable<SiteId> sites, Func<SiteId, StepOutcome> answer)
        {
            foreach (var site in sites)
            {
                var message = TestSum.Message(answer(site));
                stored.Add((stage, site, message));
                Assert.Null(sum.Server.Accept(stage, site, message));
            }

            Assert.Null(sum.Server.Close());
        }
    }
}
