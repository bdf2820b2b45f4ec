using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation.Keys;
using FedSeg.SecureAggregation.Masking;
using FedSeg.SecureAggregation.Messages;
using FedSeg.SecureAggregation.Shamir;

namespace FedSeg.SecureAggregation.Server;

/// <summary>
/// The server's part of one secure sum: collects what sites send, stage by stage, hands it on, and at the end knows the masks that are left
/// in the sum of the survivors' updates, and no more. It trusts no site: every message is checked before it is kept. When a stage is closed
/// is its owner's decision; the same messages and the same decisions give the same state, so it can be rebuilt from what was stored. One
/// caller at a time.
/// </summary>
public sealed class SumServer(SumContext context, SiteKeyCheck check)
{
    private readonly SortedDictionary<byte, Advertisement> _keys = [];
    private readonly SortedDictionary<byte, ShareOffer> _offers = [];
    private readonly SortedDictionary<byte, byte[]> _confirmations = [];
    private readonly SortedDictionary<byte, Disclosure> _disclosures = [];

    private Roster? _roster;
    private byte[] _rosterDigest = [];
    private byte[] _view = [];
    private ImmutableArray<byte> _survivors = [];

    /// <summary>What it waits for.</summary>
    public SumStage Stage { get; private set; } = SumStage.Keys;

    /// <summary>Why the sum can't be finished; <see langword="null"/> as long as it can.</summary>
    public AbortReason? Failure { get; private set; }

    /// <summary>Sites that may still answer in this stage.</summary>
    public IReadOnlyList<SiteId> Awaited => [.. (Stage switch
    {
        SumStage.Keys => Enumerable.Range(0, context.Sites.Length).Select(site => (byte)site).Except(_keys.Keys),
        SumStage.Shares => _keys.Keys.Except(_offers.Keys),
        SumStage.Masked => _offers.Keys,
        SumStage.Confirmations => _survivors.Except(_confirmations.Keys),
        SumStage.Disclosures => _survivors.Except(_disclosures.Keys),
        _ => [],
    }).Select(site => context.Sites[site])];

    /// <summary>Whether enough sites have answered for the stage to be closed.</summary>
    public bool HasEnough => Stage switch
    {
        SumStage.Keys => _keys.Count,
        SumStage.Shares => _offers.Count,
        SumStage.Confirmations => _confirmations.Count,
        SumStage.Disclosures => _disclosures.Count,
        _ => 0,
    } >= context.Threshold;

    /// <summary>Takes a site's message for the stage that is open.</summary>
    /// <returns>Why it is refused; <see langword="null"/> when it counts. A site counts once a stage; its keys it may replace until the
    /// roster is made.</returns>
    public AbortReason? Accept(SumStage stage, SiteId from, ReadOnlySpan<byte> message)
    {
        if (stage != Stage) return AbortReason.OutOfOrder;
        if (context.IndexOf(from) is var place && place < 0) return AbortReason.UnknownSite;
        // A site that was restarted has new keys, which nobody has been told of yet.
        if (stage != SumStage.Keys && !Awaited.Contains(from)) return AbortReason.AskedTwice;
        var site = (byte)place;
        return stage switch
        {
            SumStage.Keys => AcceptKeys(site, message),
            SumStage.Shares => AcceptShares(site, message),
            SumStage.Confirmations => AcceptConfirmation(site, message),
            SumStage.Disclosures => AcceptDisclosure(site, message),
            _ => AbortReason.OutOfOrder,
        };
    }

    /// <summary>Ends a stage; who has not answered is out of it.</summary>
    /// <param name="survivors">Sites whose masked updates are there; only asked after <see cref="SumStage.Masked"/>.</param>
    /// <returns>Why the sum can't go on; <see langword="null"/> when it does.</returns>
    public AbortReason? Close(IReadOnlyCollection<SiteId>? survivors = null)
    {
        if (Stage == SumStage.Masked)
        {
            if (survivors is null || survivors.Any(site => !Awaited.Contains(site))) return Fail(AbortReason.SurvivorsImpossible);
            _survivors = [.. survivors.Select(site => (byte)context.IndexOf(site)).Order()];
            if (_survivors.Length < context.Threshold) return Fail(AbortReason.TooFewSites);
            _view = SumView.Digest(_rosterDigest, _offers.Keys, _survivors);
        }
        else if (!HasEnough)
        {
            return Fail(AbortReason.TooFewSites);
        }

        if (Stage == SumStage.Keys)
        {
            _roster = new Roster([.. _keys.Values]);
            _rosterDigest = _roster.Digest(context);
        }

        Stage++;
        return null;
    }

    /// <summary>
    /// What a site is told once the stage is closed; <see langword="null"/> before, and for a site that has no part in it.
    /// </summary>
    public byte[]? MessageAfter(SumStage stage, SiteId site)
    {
        if (Stage <= stage || _roster is null || Failure is not null) return null;
        var index = (byte)Math.Max(0, context.IndexOf(site));
        return stage switch
        {
            SumStage.Keys when _keys.ContainsKey(index) => _roster.ToBytes(),
            SumStage.Shares when _offers.ContainsKey(index) => Delivery(index).ToBytes(),
            SumStage.Masked when _survivors.Contains(index) => new SurvivorList(_rosterDigest, _survivors).ToBytes(),
            SumStage.Confirmations when _survivors.Contains(index) =>
                new ConfirmationList([.. _confirmations.Select(entry => (entry.Key, entry.Value))]).ToBytes(),
            _ => null,
        };
    }

    /// <summary>
    /// The masks that are left in the sum of the survivors' updates: apply them to it. Only after the last stage is closed.
    /// </summary>
    /// <returns>The masks, the caller's to dispose, or which site's secrets don't come out as it had promised.</returns>
    /// <exception cref="InvalidOperationException">A stage is open, or the sum has failed.</exception>
    public (MaskSet? Masks, SumAbort? Abort) Recover()
    {
        if (Stage != SumStage.Done || Failure is not null) throw new InvalidOperationException("The shares are not there.");
        var masks = new MaskSet();
        foreach (var dealer in _offers.Keys)
        {
            var included = _survivors.Contains(dealer) ? IncludeSelfMask(masks, dealer) : IncludePairMasks(masks, dealer);
            if (included) continue;
            masks.Dispose();
            return (null, new SumAbort(AbortReason.FalseShare, context.Sites[dealer]));
        }

        return (masks, null);
    }

    private AbortReason? AcceptKeys(byte site, ReadOnlySpan<byte> message)
    {
        if (!Advertisement.TryParse(message, out var keys)) return AbortReason.MalformedMessage;
        if (keys.Site != context.Sites[site]) return AbortReason.UnknownSite;
        if (keys.Problem(context, check) is { } problem) return problem;
        if (_keys.Any(other => other.Key != site && (Same(other.Value.ShareKey, keys.ShareKey) || Same(other.Value.MaskKey, keys.MaskKey))))
        {
            return AbortReason.KeyRepeated;
        }

        _keys[site] = keys;
        return null;
    }

    private AbortReason? AcceptShares(byte site, ReadOnlySpan<byte> message)
    {
        if (!ShareOffer.TryParse(message, out var offer)) return AbortReason.MalformedMessage;
        if (!Same(offer.Roster, _rosterDigest)) return AbortReason.RostersDiffer;
        if (!offer.Shares.Select(share =>
            share.Site).SequenceEqual(_keys.Keys.Where(holder => holder != site))) return AbortReason.MalformedMessage;
        _offers[site] = offer;
        return null;
    }

    private AbortReason? AcceptConfirmation(byte site, ReadOnlySpan<byte> message)
    {
        if (!Confirmation.TryParse(message, out var confirmation)) return AbortReason.MalformedMessage;
        if (!Same(confirmation.View, _view)) return AbortReason.ViewsDiffer;
        using var key = check(context.Sites[site], _keys[site].Certificate);
        if (key is null || !key.VerifyHash(_view, confirmation.Signature)) return AbortReason.SignatureRefused;
        _confirmations[site] = confirmation.Signature;
        return null;
    }

    private AbortReason? AcceptDisclosure(byte site, ReadOnlySpan<byte> message)
    {
        if (!Disclosure.TryParse(message, out var disclosure)) return AbortReason.MalformedMessage;
        if (!Same(disclosure.View, _view)) return AbortReason.ViewsDiffer;
        if (!disclosure.Shares.Select(share =>
            (share.Dealer, share.Kind)).SequenceEqual(_offers.Keys.Select(dealer => (dealer, KindOf(dealer)))))
        {
            return AbortReason.MalformedMessage;
        }

        if (disclosure.Shares.Any(share => !MatchesCommitment(site, share))) return AbortReason.FalseShare;
        _disclosures[site] = disclosure;
        return null;
    }

    private bool MatchesCommitment(byte holder, DisclosedShare share)
    {
        var offer = _offers[share.Dealer];
        var committed = share.Dealer != holder ? offer.Shares.First(dealt => dealt.Site == holder).CommitmentOf(share.Kind)
            : share.Kind == ShareKind.MaskKey ? offer.OwnMaskKeyCommitment : offer.OwnSelfMaskCommitment;
        return Same(SealedShare.Commit(_rosterDigest, share.Dealer, holder, share.Kind, share.Share), committed);
    }

    /// <summary>Those dealt to one site, named by their dealer.</summary>
    private ShareDelivery Delivery(byte holder) => new(
        _rosterDigest,
        [.. _offers.Where(offer =>
            offer.Key != holder).Select(offer => offer.Value.Shares.First(share => share.Site == holder) with { Site = offer.Key })]);

    private bool IncludeSelfMask(MaskSet masks, byte dealer)
    {
        var seed = Combine(dealer);
        var sound = Same(SHA256.HashData(seed), _offers[dealer].SeedCommitment);
        if (sound) Include(masks, new KeySchedule(context.Digest(), _rosterDigest).SelfMaskKey(seed, dealer), add: false);
        CryptographicOperations.ZeroMemory(seed);
        return sound;
    }

    /// <summary>A site that dealt and dropped out left half of a pairwise mask in every survivor's update.</summary>
    private bool IncludePairMasks(MaskSet masks, byte dealer)
    {
        var privateKey = Combine(dealer);
        using var key = KeyOf(privateKey, _keys[dealer].MaskKey);
        CryptographicOperations.ZeroMemory(privateKey);
        if (key is null) return false;

        var schedule = new KeySchedule(context.Digest(), _rosterDigest);
        foreach (var survivor in _survivors)
        {
            var secret = key.Agree(_keys[survivor].MaskKey);
            // The survivor added the mask where its own place is the lower one.
            Include(masks, schedule.PairMaskKey(secret, dealer, survivor), add: survivor > dealer);
            CryptographicOperations.ZeroMemory(secret);
        }

        return true;
    }

    /// <summary>The pair, if its public key is the advertised one.</summary>
    private static AgreementKey? KeyOf(byte[] privateKey, byte[] publicKey)
    {
        try
        {
            var key = AgreementKey.FromPrivate(privateKey);
            if (Same(key.PublicKey, publicKey)) return key;
            key.Dispose();
        }
        catch (CryptographicException)
        {
            // Not a private key at all: the dealer's shares don't lie on one polynomial.
        }

        return null;
    }

    private byte[] Combine(byte dealer)
    {
        var used = _disclosures.Take(context.Threshold).ToList();
        return SecretSharing.Combine(
            [.. used.Select(disclosure => (byte)(disclosure.Key + 1))],
            [.. used.Select(disclosure => disclosure.Value.Shares.First(share => share.Dealer == dealer).Share)]);
    }

    private ShareKind KindOf(byte dealer) => _survivors.Contains(dealer) ? ShareKind.SelfMask : ShareKind.MaskKey;

    private AbortReason Fail(AbortReason reason)
    {
        (Stage, Failure) = (SumStage.Done, reason);
        return reason;
    }

    private static void Include(MaskSet masks, byte[] key, bool add)
    {
        masks.Include(key, add);
        CryptographicOperations.ZeroMemory(key);
    }

    private static bool Same(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => CryptographicOperations.FixedTimeEquals(left, right);
}
