using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation.Messages;
using FedSeg.SecureAggregation.Server;
using FedSeg.SecureAggregation.Sites;

namespace FedSeg.SecureAggregation.Tests.Protocol;

/// <summary>
/// A scripted server that does what a server must not: every script ends in an abort with its reason, and with no keys left at the site.
/// </summary>
public sealed class MaliciousServerTests : IDisposable
{
    private const int Sites = 5;
    private readonly TestAuthority _authority = new();
    private readonly TestSum _sum;

    public MaliciousServerTests() => _sum = new TestSum(Sites, authority: _authority);

    private SiteId Victim => _sum.Context.Sites[0];

    private SumClient Client => _sum.Clients[Victim];

    public void Dispose()
    {
        _sum.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public void SurvivorsNamedTwice_Differently_IsTheQuestionForBothShares()
    {
        ToConfirmed();
        var fewer = new SurvivorList(RosterDigest(), [0, 1, 2, 3]).ToBytes();

        AssertAborted(Client.AnswerSurvivors(fewer), AbortReason.BothSharesAsked);
        // Not even the honest list gets an answer any more.
        AssertAborted(Client.AnswerConfirmations(_sum.Server.MessageAfter(SumStage.Confirmations, Victim)), AbortReason.BothSharesAsked);
    }

    [Fact]
    public void SurvivorsNamedAgain_AfterTheDisclosure_IsTheQuestionForBothShares()
    {
        ToConfirmed();
        TestSum.Message(Client.AnswerConfirmations(_sum.Server.MessageAfter(SumStage.Confirmations, Victim)));

        AssertAborted(Client.AnswerSurvivors(new SurvivorList(RosterDigest(), [0, 1, 2, 3]).ToBytes()), AbortReason.BothSharesAsked);
    }

    [Fact]
    public void AnyStepAskedTwice_InTheSameWords_IsRefused()
    {
        ToConfirmed();
        var confirmations = _sum.Server.MessageAfter(SumStage.Confirmations, Victim);
        TestSum.Message(Client.AnswerConfirmations(confirmations));

        AssertAborted(Client.AnswerConfirmations(confirmations), AbortReason.AskedTwice);
    }

    [Fact]
    public void RosterSentTwice_IsRefused()
    {
        _sum.AdvertiseAll();
        var roster = _sum.Server.MessageAfter(SumStage.Keys, Victim);
        TestSum.Message(Client.AnswerRoster(roster));

        AssertAborted(Client.AnswerRoster(roster), AbortReason.AskedTwice);
    }

    [Fact]
    public void UnmaskingAsked_BeforeTheUpdateIsMasked_IsRefused()
    {
        _sum.AdvertiseAll();
        _sum.DealAll();
        Assert.IsType<StepOutcome.ReadyToMask>(Client.AcceptShares(_sum.Server.MessageAfter(SumStage.Shares, Victim)));

        AssertAborted(Client.AnswerSurvivors(new SurvivorList(RosterDigest(), [0, 1, 2, 3, 4]).ToBytes()), AbortReason.OutOfOrder);
    }

    [Fact]
    public void SharesDelivered_BeforeTheRoster_AreRefused() =>
        AssertAborted(Client.AcceptShares(new ShareDelivery(new byte[32], []).ToBytes()), AbortReason.OutOfOrder);

    /// <summary>Threat 4: a site the plan does not name, though the authority knows it.</summary>
    [Fact]
    public void RosterWithASiteBeyondThePlan_IsRefused()
    {
        _sum.AdvertiseAll();
        var larger = TestSum.ContextOf(Sites + 1);
        using var invented = _sum.Join(larger.Sites[^1], larger);

        AssertAborted(AnswerChanged(roster => [.. roster, Parse(TestSum.Message(invented.Advertise()))]), AbortReason.UnknownSite);
    }

    /// <summary>Threat 4: a site of the plan's name with a key of the server's own, which the authority never signed.</summary>
    [Fact]
    public void RosterWithAnInventedKey_IsRefused()
    {
        using var elsewhere = new TestAuthority();
        using var forged = new TestSum(Sites, authority: elsewhere);
        _sum.AdvertiseAll();

        var invented = Parse(TestSum.Message(forged.Clients[_sum.Context.Sites[2]].Advertise()));
        var abort = AssertAborted(AnswerChanged(roster => Replace(roster, 2, invented)), AbortReason.CertificateRefused);

        Assert.Equal(_sum.Context.Sites[2], abort.Site);
    }

    [Fact]
    public void RosterWithAnotherKeyUnderATrueCertificate_IsRefused()
    {
        _sum.AdvertiseAll();

        var abort = AssertAborted(
            AnswerChanged(roster => Replace(roster, 3, roster[3] with { ShareKey = roster[2].ShareKey })), AbortReason.SignatureRefused);

        Assert.Equal(_sum.Context.Sites[3], abort.Site);
    }

    /// <summary>Two sites in collusion, or one behind two names: with one key between them they count once.</summary>
    [Fact]
    public void RosterWithOneKeyOfTwoSites_IsRefused()
    {
        _sum.AdvertiseAll();
        var site = _sum.Context.Sites[3];
        var credential = _authority.Enrol(site);

        AssertAborted(
            AnswerChanged(roster => Replace(
                roster,
                3,
                (roster[2] with { Site = site, Certificate = credential.Certificate }).SignedWith(_sum.Context, credential.Key))),
            AbortReason.KeyRepeated);
    }

    [Fact]
    public void RosterWithoutTheSiteItself_OrWithAnotherKeyOfIts_IsRefused()
    {
        _sum.AdvertiseAll();
        var other = _sum.Context.Sites[1];
        using var again = new TestSum(Sites, authority: _authority);

        AssertAborted(AnswerChanged(roster => roster.RemoveAt(0)), AbortReason.OwnKeyChanged);
        var fresh = Parse(TestSum.Message(again.Clients[other].Advertise()));
        AssertAborted(_sum.Clients[other].AnswerRoster(new Roster(Replace(Honest(), 1, fresh)).ToBytes()), AbortReason.OwnKeyChanged);
    }

    [Fact]
    public void RosterBelowTheThreshold_IsRefused()
    {
        _sum.AdvertiseAll();

        AssertAborted(AnswerChanged(roster => [.. roster.Take(3)]), AbortReason.TooFewSites);
    }

    /// <summary>The site's own bound, above the threshold: nobody talks it down.</summary>
    [Fact]
    public void RosterBelowTheSitesOwnBound_IsRefused()
    {
        using var insisting = _sum.Join(Victim, _sum.Context, fewest: 5);
        foreach (var site in _sum.Context.Sites.Take(
            4)) Assert.Null(_sum.Server.Accept(SumStage.Keys, site, TestSum.Message(_sum.Clients[site].Advertise())));
        Assert.Null(_sum.Server.Close());

        AssertAborted(insisting.AnswerRoster(_sum.Server.MessageAfter(SumStage.Keys, Victim)), AbortReason.TooFewSites);
    }

    /// <summary>Threat 5: two sites with two models in one round. The one that is told of both refuses.</summary>
    [Fact]
    public void RosterOfSitesWithAnotherModel_IsRefused()
    {
        var otherModel = TestSum.ContextOf(Sites, model: "another model");
        _sum.AdvertiseAll();
        using var misled = _sum.Join(_sum.Context.Sites[4], otherModel);

        var abort = AssertAborted(AnswerChanged(roster =>
            Replace(roster, 4, Parse(TestSum.Message(misled.Advertise())))), AbortReason.ModelsDiffer);

        Assert.Equal(_sum.Context.Sites[4], abort.Site);
    }

    [Fact]
    public void RosterOfSitesWithAnotherPlan_IsRefused()
    {
        var otherPlan = _sum.Context with { Plan = Sha256Digest.Of("another"u8) };
        _sum.AdvertiseAll();
        using var misled = _sum.Join(_sum.Context.Sites[4], otherPlan);

        AssertAborted(AnswerChanged(roster => Replace(roster, 4, Parse(TestSum.Message(misled.Advertise())))), AbortReason.PlansDiffer);
    }

    /// <summary>
    /// The server claims what the site will find out: plan and model in the open are the victim's, the signature is over others.
    /// </summary>
    [Fact]
    public void RosterWithAnotherModelHidden_IsRefused()
    {
        var otherModel = TestSum.ContextOf(Sites, model: "another model");
        _sum.AdvertiseAll();
        using var misled = _sum.Join(_sum.Context.Sites[4], otherModel);

        var hidden = Parse(TestSum.Message(misled.Advertise())) with { BaseModel = _sum.Context.BaseModel };

        AssertAborted(AnswerChanged(roster => Replace(roster, 4, hidden)), AbortReason.SignatureRefused);
    }

    /// <summary>Threat 7: messages of an earlier round.</summary>
    [Fact]
    public void RosterOfAnEarlierRound_IsReplayed()
    {
        using var earlier = new TestSum(Sites, authority: _authority, round: 7);
        earlier.AdvertiseAll();
        _sum.AdvertiseAll();

        AssertAborted(AnswerChanged(roster => Replace(roster, 2, Parse(earlier.Server, 2))), AbortReason.Replayed);
    }

    /// <summary>Two rosters of one round, each of true keys: shares made for one don't open under the other.</summary>
    [Fact]
    public void DifferentRosters_ForDifferentSites_GiveNoShare()
    {
        _sum.AdvertiseAll();
        var (misled, whole) = (_sum.Context.Sites[1], Honest());
        var smaller = new Roster(whole.RemoveAt(4)).ToBytes();
        var offers = _sum.Context.Sites.Take(4).ToDictionary(site =>
            site, site => TestSum.Message(_sum.Clients[site].AnswerRoster(site == misled ? smaller : new Roster(whole).ToBytes())));

        var dealt = ParseOffer(offers[misled]).Shares.First(share => share.Site == 0) with { Site = 1 };
        AssertAborted(Client.AcceptShares(new ShareDelivery(RosterDigest(), [dealt]).ToBytes()), AbortReason.ShareRefused);
        Assert.Equal(AbortReason.RostersDiffer, _sum.Server.Accept(SumStage.Shares, misled, offers[misled]));
    }

    [Fact]
    public void SharesOfAnotherRoster_AreRefused()
    {
        _sum.AdvertiseAll();
        _sum.DealAll();
        var delivery = ParseDelivery(_sum.Server.MessageAfter(SumStage.Shares, Victim)!);

        AssertAborted(Client.AcceptShares((delivery with { Roster = new byte[32] }).ToBytes()), AbortReason.RostersDiffer);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(79)]
    public void ChangedShare_IsRefused(int position)
    {
        _sum.AdvertiseAll();
        _sum.DealAll();
        var delivery = ParseDelivery(_sum.Server.MessageAfter(SumStage.Shares, Victim)!);
        delivery.Shares[2].Ciphertext[position] ^= 1;

        var abort = AssertAborted(Client.AcceptShares(delivery.ToBytes()), AbortReason.ShareRefused);

        Assert.Equal(_sum.Context.Sites[3], abort.Site);
    }

    [Fact]
    public void ExchangedCommitment_IsRefused()
    {
        _sum.AdvertiseAll();
        _sum.DealAll();
        var delivery = ParseDelivery(_sum.Server.MessageAfter(SumStage.Shares, Victim)!);
        delivery.Shares[0].SelfMaskCommitment[0] ^= 1;

        AssertAborted(Client.AcceptShares(delivery.ToBytes()), AbortReason.ShareRefused);
    }

    [Fact]
    public void ShareOfAnotherHolder_IsRefused()
    {
        _sum.AdvertiseAll();
        _sum.DealAll();
        var delivery = ParseDelivery(_sum.Server.MessageAfter(SumStage.Shares, Victim)!);
        var others = ParseDelivery(_sum.Server.MessageAfter(SumStage.Shares, _sum.Context.Sites[1])!);

        AssertAborted(
            Client.AcceptShares((delivery with { Shares =
                delivery.Shares.SetItem(1, others.Shares[1]) }).ToBytes()), AbortReason.ShareRefused);
    }

    [Fact]
    public void SharesOfTooFew_AreRefused()
    {
        _sum.AdvertiseAll();
        _sum.DealAll();
        var delivery = ParseDelivery(_sum.Server.MessageAfter(SumStage.Shares, Victim)!);

        AssertAborted(Client.AcceptShares((delivery with { Shares = [.. delivery.Shares.Take(2)] }).ToBytes()), AbortReason.TooFewSites);
    }

    [Fact]
    public void ShareFromASiteOutsideTheRoster_IsRefused()
    {
        _sum.AdvertiseAll(_sum.Context.Sites[4]);
        _sum.DealAll(_sum.Context.Sites[4]);
        var delivery = ParseDelivery(_sum.Server.MessageAfter(SumStage.Shares, Victim)!);

        AssertAborted(
            Client.AcceptShares((delivery with { Shares =
                [.. delivery.Shares, delivery.Shares[0] with { Site = 4 }] }).ToBytes()), AbortReason.UnknownSite);
    }

    /// <summary>Drop to isolate: with so few survivors, the sum would be nearly one site's update.</summary>
    [Theory]
    [InlineData(new byte[] { 0 })]
    [InlineData(new byte[] { 0, 1, 2 })]
    public void SurvivorsBelowTheThreshold_AreRefused(byte[] survivors)
    {
        ToMasked();

        AssertAborted(Client.AnswerSurvivors(new SurvivorList(RosterDigest(), [.. survivors]).ToBytes()), AbortReason.TooFewSites);
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3, 4 })]
    [InlineData(new byte[] { 0, 1, 2, 3, 9 })]
    public void SurvivorsThatCanNotBe_AreRefused(byte[] survivors)
    {
        ToMasked();

        AssertAborted(Client.AnswerSurvivors(new SurvivorList(RosterDigest(), [.. survivors]).ToBytes()), AbortReason.SurvivorsImpossible);
    }

    /// <summary>Half is told that site 4 dropped out, half that it did not: neither half confirms the other's story.</summary>
    [Fact]
    public void DifferentSurvivors_ForDifferentSites_GiveNoDisclosure()
    {
        ToMasked();
        var whole = new SurvivorList(RosterDigest(), [0, 1, 2, 3, 4]).ToBytes();
        var fewer = new SurvivorList(RosterDigest(), [0, 1, 2, 3]).ToBytes();
        var confirmations = _sum.Context.Sites.Select((site, place) =>
            ((byte)place, ParseConfirmation(
                TestSum.Message(_sum.Clients[site].AnswerSurvivors(place is 0 or 1 or 4 ? whole : fewer))).Signature)).ToImmutableArray();

        Assert.All(_sum.Context.Sites, site =>
            AssertAborted(_sum.Clients[site].AnswerConfirmations(new ConfirmationList(confirmations).ToBytes()), AbortReason.ViewsDiffer));
    }

    /// <summary>Two sites are told that site 2 never dealt shares: who dealt is confirmed too.</summary>
    [Fact]
    public void DifferentDealers_ForDifferentSites_GiveNoDisclosure()
    {
        _sum.AdvertiseAll();
        _sum.DealAll();
        foreach (var site in _sum.Context.Sites)
        {
            var delivery = ParseDelivery(_sum.Server.MessageAfter(SumStage.Shares, site)!);
            if (_sum.Context.IndexOf(site) < 2) delivery = delivery with { Shares = [.. delivery.Shares.Where(share => share.Site != 2)] };
            Assert.IsType<StepOutcome.ReadyToMask>(_sum.Clients[site].AcceptShares(delivery.ToBytes()));
            _sum.Clients[site].TakeMasks().Dispose();
        }

        var survivors = new SurvivorList(RosterDigest(), [0, 1, 3, 4]).ToBytes();
        var confirmations = new[] { 0, 1, 3, 4 }.Select(place =>
            ((byte)place, ParseConfirmation(
                TestSum.Message(_sum.Clients[_sum.Context.Sites[place]].AnswerSurvivors(survivors))).Signature)).ToImmutableArray();

        AssertAborted(Client.AnswerConfirmations(new ConfirmationList(confirmations).ToBytes()), AbortReason.ViewsDiffer);
    }

    [Fact]
    public void ConfirmationsOfOneSiteManyTimes_OrOfTooFew_AreRefused()
    {
        ToConfirmed();
        var list = ParseConfirmations(_sum.Server.MessageAfter(SumStage.Confirmations, Victim)!);
        var sameSite = _sum.Clients[_sum.Context.Sites[1]];

        AssertAborted(
            sameSite.AnswerConfirmations(new ConfirmationList([.. list.Entries.Select(entry =>
                (entry.Site, list.Entries[0].Signature))]).ToBytes()),
            AbortReason.ViewsDiffer);
        AssertAborted(Client.AnswerConfirmations(new ConfirmationList([.. list.Entries.Take(3)]).ToBytes()), AbortReason.ViewsDiffer);
    }

    [Fact]
    public void Abort_InTheMiddle_LeavesNoSecretInMemory()
    {
        ToMasked();
        Assert.Contains(HeldOf(Client).Values, pair => pair.MaskKey.Any(value => value != 0));

        AssertAborted(Client.AnswerSurvivors([]), AbortReason.MalformedMessage);

        AssertForgotten(Client);
    }

    [Fact]
    public void Disclosure_AtTheEnd_LeavesNoSecretInMemory()
    {
        ToConfirmed();
        TestSum.Message(Client.AnswerConfirmations(_sum.Server.MessageAfter(SumStage.Confirmations, Victim)));

        AssertForgotten(Client);
    }

    private void ToMasked()
    {
        _sum.AdvertiseAll();
        _sum.DealAll();
        _sum.MaskAll();
    }

    private void ToConfirmed()
    {
        ToMasked();
        _sum.ConfirmAll();
    }

    private static void AssertForgotten(SumClient client)
    {
        Assert.All(SeedOf(client), value => Assert.Equal(0, value));
        Assert.All(HeldOf(client).Values, pair => Assert.All(pair.MaskKey.Concat(pair.SelfMask), value => Assert.Equal(0, value)));
        Assert.Throws<InvalidOperationException>(() => client.TakeMasks());
    }

    private static SumAbort AssertAborted(StepOutcome outcome, AbortReason reason)
    {
        var abort = TestSum.Abort(outcome);
        Assert.Equal(reason, abort.Reason);
        return abort;
    }

    private StepOutcome AnswerChanged(Func<ImmutableArray<Advertisement>, ImmutableArray<Advertisement>> change) =>
        Client.AnswerRoster(new Roster(change(Honest())).ToBytes());

    private ImmutableArray<Advertisement> Honest()
    {
        Assert.True(Roster.TryParse(_sum.Server.MessageAfter(SumStage.Keys, Victim), out var roster));
        return roster.Sites;
    }

    private byte[] RosterDigest() => new Roster(Honest()).Digest(_sum.Context);

    private static ImmutableArray<Advertisement> Replace(ImmutableArray<Advertisement> roster, int place, Advertisement with) =>
        roster.SetItem(place, with);

    private static Advertisement Parse(byte[] message)
    {
        Assert.True(Advertisement.TryParse(message, out var parsed));
        return parsed;
    }

    private Advertisement Parse(SumServer server, int place)
    {
        Assert.True(Roster.TryParse(server.MessageAfter(SumStage.Keys, Victim), out var roster));
        return roster.Sites[place];
    }

    private static ShareOffer ParseOffer(byte[] message)
    {
        Assert.True(ShareOffer.TryParse(message, out var parsed));
        return parsed;
    }

    private static ShareDelivery ParseDelivery(byte[] message)
    {
        Assert.True(ShareDelivery.TryParse(message, out var parsed));
        return parsed;
    }

    private static Confirmation ParseConfirmation(byte[] message)
    {
        Assert.True(Confirmation.TryParse(message, out var parsed));
        return parsed;
    }

    private static ConfirmationList ParseConfirmations(byte[] message)
    {
        Assert.True(ConfirmationList.TryParse(message, out var parsed));
        return parsed;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_seed")]
    private static extern ref byte[] SeedOf(SumClient client);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_held")]
    private static extern ref SortedDictionary<byte, SharePair> HeldOf(SumClient client);
}
