using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation.Messages;
using FedSeg.SecureAggregation.Server;

namespace FedSeg.SecureAggregation.Tests.Protocol;

/// <summary>What a site that does not keep to the protocol gets from the server: a refusal, and its name where it spoils a sum.</summary>
public sealed class MaliciousSiteTests : IDisposable
{
    private readonly TestSum _sum = new(5);

    private SiteId Liar => _sum.Context.Sites[2];

    public void Dispose()
    {
        _sum.Dispose();
        _sum.Authority.Dispose();
    }

    [Fact]
    public void KeysUnderAnotherSitesName_AreRefused()
    {
        var message = TestSum.Message(_sum.Clients[_sum.Context.Sites[1]].Advertise());

        Assert.Equal(AbortReason.UnknownSite, _sum.Server.Accept(SumStage.Keys, Liar, message));
    }

    [Fact]
    public void SecondAnswerInAStage_IsRefused()
    {
        _sum.AdvertiseAll();
        var message = TestSum.Message(_sum.Clients[Liar].AnswerRoster(_sum.Server.MessageAfter(SumStage.Keys, Liar)));
        Assert.Null(_sum.Server.Accept(SumStage.Shares, Liar, message));

        Assert.Equal(AbortReason.AskedTwice, _sum.Server.Accept(SumStage.Shares, Liar, message));
    }

    /// <summary>Until the roster is made nobody knows the old keys: a restarted site takes part with new ones.</summary>
    [Fact]
    public void KeysSentAgain_BeforeTheRoster_TakeTheOldOnesPlace()
    {
        Assert.Null(_sum.Server.Accept(SumStage.Keys, Liar, TestSum.Message(_sum.Clients[Liar].Advertise())));
        _sum.Clients[Liar].Dispose();
        _sum.Join(Liar, _sum.Context);

        var unmasked = _sum.Run([], [], [], []);

        Assert.Equal(_sum.PlainSum(), unmasked);
        Assert.Equal(5, _sum.Masked.Count);
    }

    [Fact]
    public void AnswerForAStageThatIsOver_IsRefused()
    {
        _sum.AdvertiseAll(Liar);

        Assert.Equal(AbortReason.OutOfOrder, _sum.Server.Accept(SumStage.Keys, Liar, TestSum.Message(_sum.Clients[Liar].Advertise())));
    }

    [Fact]
    public void SharesForSomeOnly_AreRefused()
    {
        _sum.AdvertiseAll();
        Assert.True(ShareOffer.TryParse(
            TestSum.Message(_sum.Clients[Liar].AnswerRoster(_sum.Server.MessageAfter(SumStage.Keys, Liar))), out var offer));

        var fewer = (offer with { Shares = offer.Shares.RemoveAt(0) }).ToBytes();

        Assert.Equal(AbortReason.MalformedMessage, _sum.Server.Accept(SumStage.Shares, Liar, fewer));
    }

    [Fact]
    public void FalseShare_InADisclosure_IsRefusedAndTheOthersSuffice()
    {
        ToConfirmed();
        foreach (var site in _sum.Context.Sites)
        {
            var message = TestSum.Message(_sum.Clients[site].AnswerConfirmations(_sum.Server.MessageAfter(SumStage.Confirmations, site)));
            if (site == Liar)
            {
                message[^1] ^= 1;
                Assert.Equal(AbortReason.FalseShare, _sum.Server.Accept(SumStage.Disclosures, site, message));
            }
            else
            {
                Assert.Null(_sum.Server.Accept(SumStage.Disclosures, site, message));
            }
        }

        Assert.Null(_sum.Server.Close());
        Assert.Equal(_sum.PlainSum(), _sum.Unmasked());
    }

    /// <summary>A dealer whose own promise does not fit its shares is named, not the sites that hold them.</summary>
    [Fact]
    public void FalsePromiseOfASeed_NamesTheDealer()
    {
        _sum.AdvertiseAll();
        foreach (var site in _sum.Context.Sites)
        {
            var message = TestSum.Message(_sum.Clients[site].AnswerRoster(_sum.Server.MessageAfter(SumStage.Keys, site)));
            // Kind, roster, then the promise.
            if (site == Liar) message[33] ^= 1;
            Assert.Null(_sum.Server.Accept(SumStage.Shares, site, message));
        }

        Assert.Null(_sum.Server.Close());
        _sum.MaskAll();
        _sum.ConfirmAll();
        _sum.DiscloseAll();

        var (masks, abort) = _sum.Server.Recover();

        Assert.Null(masks);
        Assert.Equal(new SumAbort(AbortReason.FalseShare, Liar), abort);
    }

    [Fact]
    public void ConfirmationOfAnotherView_OrWithAnothersSignature_IsRefused()
    {
        _sum.AdvertiseAll();
        _sum.DealAll();
        _sum.MaskAll();
        var other = _sum.Context.Sites[1];
        var message = TestSum.Message(_sum.Clients[other].AnswerSurvivors(_sum.Server.MessageAfter(SumStage.Masked, other)));

        Assert.Equal(AbortReason.SignatureRefused, _sum.Server.Accept(SumStage.Confirmations, Liar, message));
        message[1] ^= 1;
        Assert.Equal(AbortReason.ViewsDiffer, _sum.Server.Accept(SumStage.Confirmations, other, message));
    }

    /// <summary>Of a survivor no share of the mask key is taken, whoever offers it: the server can't be given both.</summary>
    [Fact]
    public void DisclosureOfTheOtherKind_IsRefused()
    {
        ToConfirmed();
        var message = TestSum.Message(_sum.Clients[Liar].AnswerConfirmations(_sum.Server.MessageAfter(SumStage.Confirmations, Liar)));
        Assert.True(Disclosure.TryParse(message, out var disclosure));

        var other = (disclosure with { Shares =
            disclosure.Shares.SetItem(0, disclosure.Shares[0] with { Kind = ShareKind.MaskKey }) }).ToBytes();

        Assert.Equal(AbortReason.MalformedMessage, _sum.Server.Accept(SumStage.Disclosures, Liar, other));
    }

    private void ToConfirmed()
    {
        _sum.AdvertiseAll();
        _sum.DealAll();
        _sum.MaskAll();
        _sum.ConfirmAll();
    }
}
