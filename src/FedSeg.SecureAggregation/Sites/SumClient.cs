using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation.Keys;
using FedSeg.SecureAggregation.Masking;
using FedSeg.SecureAggregation.Messages;
using FedSeg.SecureAggregation.Shamir;

namespace FedSeg.SecureAggregation.Sites;

/// <summary>
/// A site's part of one secure sum (Bonawitz et al. 2017, figure 4, against a malicious server): advertise keys, deal shares, mask, confirm
/// who survived, disclose one share of every site. It trusts nothing the server says; whatever is not as it must be ends its part, and its
/// keys are gone. Its secrets live in memory only and for one round only. One caller at a time.
/// </summary>
public sealed class SumClient : IDisposable
{
    private enum State
    {
        Idle,
        Advertised,
        Dealt,
        Masking,
        Confirmed,
        Disclosed,
        Aborted,
    }

    private readonly SumContext _context;
    private readonly SiteCredential _credential;
    private readonly SiteKeyCheck _check;
    private readonly RandomNumberGenerator _random;
    private readonly int _self;
    private readonly int _fewest;
    private readonly AgreementKey _shareKey = AgreementKey.Create(), _maskKey = AgreementKey.Create();
    private readonly byte[] _seed = new byte[KeySchedule.KeyBytes];
    private readonly SortedDictionary<byte, SharePair> _held = [];
    private readonly Dictionary<State, byte[]> _heard = [];

    private State _state = State.Idle;
    private SumAbort? _abort;
    private Advertisement? _own;
    private Roster? _roster;
    private byte[] _rosterDigest = [];
    private byte[] _view = [];
    private ImmutableArray<byte> _survivors = [];
    private bool _maskTaken;

    /// <param name="context">What this site was told to do.</param>
    /// <param name="self">This site; one of the context's.</param>
    /// <param name="credential">Signs for it.</param>
    /// <param name="check">Knows the authority.</param>
    /// <param name="fewestSites">Fewest sites that must deal shares before this site masks; of the survivors the threshold alone is
    /// asked.</param>
    /// <param name="random">Cryptographic.</param>
    /// <exception cref="ArgumentException">The site is not in the context, or the context has too few or too many sites.</exception>
    public SumClient(
        SumContext context, SiteId self, SiteCredential credential, SiteKeyCheck check, int fewestSites, RandomNumberGenerator random)
    {
        if (context.Sites.Length is < SumContext.FewestSites or > SumContext.MostSites)
        {
            throw new ArgumentException($"{context.Sites.Length} sites can't be summed.");
        }

        _self = context.IndexOf(self);
        if (_self < 0) throw new ArgumentException("The site is not one of the sum's.");
        (_context, _credential, _check, _fewest, _random) = (context, credential, check, fewestSites, random);
        random.GetBytes(_seed);
    }

    /// <summary>The digest of the roster this site accepted; empty before.</summary>
    public ReadOnlyMemory<byte> RosterDigest => _rosterDigest;

    /// <summary>Sites that take part in the masking, as this site was told: those that dealt shares, itself included.</summary>
    public int MaskedSites => _held.Count;

    /// <summary>The first message: this round's public keys, signed.</summary>
    public StepOutcome Advertise()
    {
        if (_state != State.Idle) return Abort(AbortReason.OutOfOrder);
        _own = new Advertisement
        {
            Site = _context.Sites[_self],
            Round = _context.Round,
            Plan = _context.Plan,
            BaseModel = _context.BaseModel,
            Certificate = _credential.Certificate,
            ShareKey = _shareKey.PublicKey,
            MaskKey = _maskKey.PublicKey,
        }.SignedWith(_context, _credential.Key);
        _state = State.Advertised;
        return new StepOutcome.Reply(_own.ToBytes());
    }

    /// <summary>Answers the roster with a share of both secrets for every other site.</summary>
    public StepOutcome AnswerRoster(ReadOnlySpan<byte> message)
    {
        if (OutOfTurn(State.Advertised, message) is { } early) return Abort(early);
        if (!Roster.TryParse(message, out var roster)) return Abort(AbortReason.MalformedMessage);
        if (RosterCheck.Problem(roster, _context, _own!, _fewest, _check) is { } problem) return Abort(problem.Reason, problem.Site);

        (_roster, _rosterDigest) = (roster, roster.Digest(_context));
        var points = roster.Sites.Select(site => PointOf(_context.IndexOf(site.Site))).ToArray();
        var privateKey = _maskKey.ExportPrivate();
        var keyShares = SecretSharing.Split(privateKey, _context.Threshold, points, _random);
        var seedShares = SecretSharing.Split(_seed, _context.Threshold, points, _random);
        CryptographicOperations.ZeroMemory(privateKey);
        var dealt = ImmutableArray.CreateBuilder<SealedShare>();
        for (var i = 0; i < roster.Sites.Length; i++)
        {
            var pair = new SharePair(keyShares[i], seedShares[i]);
            var holder = _context.IndexOf(roster.Sites[i].Site);
            if (holder == _self)
            {
                _held[(byte)_self] = pair;
                continue;
            }

            dealt.Add(Seal(roster.Sites[i], holder, pair));
            pair.Clear();
        }

        _state = State.Dealt;
        return new StepOutcome.Reply(new ShareOffer(
            _rosterDigest,
            SHA256.HashData(_seed),
            SealedShare.Commit(_rosterDigest, _self, _self, ShareKind.MaskKey, _held[(byte)_self].MaskKey),
            SealedShare.Commit(_rosterDigest, _self, _self, ShareKind.SelfMask, _held[(byte)_self].SelfMask),
            dealt.ToImmutable()).ToBytes());
    }

    /// <summary>Takes the others' shares; afterwards the update may be masked.</summary>
    public StepOutcome AcceptShares(ReadOnlySpan<byte> message)
    {
        if (OutOfTurn(State.Dealt, message) is { } early) return Abort(early);
        if (!ShareDelivery.TryParse(message, out var delivery)) return Abort(AbortReason.MalformedMessage);
        if (!CryptographicOperations.FixedTimeEquals(delivery.Roster, _rosterDigest)) return Abort(AbortReason.RostersDiffer);

        foreach (var share in delivery.Shares)
        {
            if (Peer(share.Site) is not { } dealer) return Abort(AbortReason.UnknownSite);
            var (opened, reason) = Open(dealer, share);
            if (opened is null) return Abort(reason, dealer.Site);
            _held[share.Site] = opened;
        }

        if (_held.Count < Math.Max(_context.Threshold, _fewest)) return Abort(AbortReason.TooFewSites);
        _state = State.Masking;
        return new StepOutcome.ReadyToMask();
    }

    /// <summary>
    /// The masks of this site's update, to be used for one update and disposed. They can be had once; the pairwise keys are gone
    /// afterwards.
    /// </summary>
    /// <exception cref="InvalidOperationException">It is not the time for it, or they were had already.</exception>
    public MaskSet TakeMasks()
    {
        if (_state != State.Masking || _maskTaken) throw new InvalidOperationException("The masks can be had once, after the shares.");
        _maskTaken = true;
        var (masks, keys) = (new MaskSet(), Keys());
        IncludeCleared(masks, keys.SelfMaskKey(_seed, _self), add: true);
        foreach (var other in _held.Keys.Where(other => other != _self))
        {
            var secret = _maskKey.Agree(Peer(other)!.MaskKey);
            IncludeCleared(masks, keys.PairMaskKey(secret, _self, other), add: _self < other);
            CryptographicOperations.ZeroMemory(secret);
        }

        _maskKey.Dispose();
        _shareKey.Dispose();
        CryptographicOperations.ZeroMemory(_seed);
        return masks;
    }

    /// <summary>Answers the list of survivors with a signature over what this site believes of the round.</summary>
    public StepOutcome AnswerSurvivors(ReadOnlySpan<byte> message)
    {
        if (OutOfTurn(State.Masking, message) is { } early) return Abort(early);
        if (!_maskTaken) return Abort(AbortReason.OutOfOrder);
        if (!SurvivorList.TryParse(message, out var survivors)) return Abort(AbortReason.MalformedMessage);
        if (!CryptographicOperations.FixedTimeEquals(survivors.Roster, _rosterDigest)) return Abort(AbortReason.RostersDiffer);
        if (!survivors.Sites.Contains((byte)_self) || survivors.Sites.Any(site =>
            !_held.ContainsKey(site))) return Abort(AbortReason.SurvivorsImpossible);
        if (survivors.Sites.Length < _context.Threshold) return Abort(AbortReason.TooFewSites);

        _survivors = survivors.Sites;
        _view = SumView.Digest(_rosterDigest, _held.Keys, _survivors);
        _state = State.Confirmed;
        return new StepOutcome.Reply(new Confirmation(_view, _credential.Key.SignHash(_view)).ToBytes());
    }

    /// <summary>Answers the confirmations, when enough sites were told the same, with one share of each site; the last message.</summary>
    public StepOutcome AnswerConfirmations(ReadOnlySpan<byte> message)
    {
        if (OutOfTurn(State.Confirmed, message) is { } early) return Abort(early);
        if (!ConfirmationList.TryParse(message, out var confirmations)) return Abort(AbortReason.MalformedMessage);
        if (confirmations.Entries.Count(entry =>
            Confirms(entry.Site, entry.Signature)) < _context.Threshold) return Abort(AbortReason.ViewsDiffer);

        var shares = _held.Select(held =>
        {
            var kind = _survivors.Contains(held.Key) ? ShareKind.SelfMask : ShareKind.MaskKey;
            return new DisclosedShare(held.Key, kind, [.. held.Value.Of(kind)]);
        });
        var disclosure = new Disclosure(_view, [.. shares]).ToBytes();
        _state = State.Disclosed;
        Forget();
        return new StepOutcome.Reply(disclosure);
    }

    public void Dispose() => Forget();

    private bool Confirms(byte site, byte[] signature)
    {
        if (!_survivors.Contains(site)) return false;
        using var key = _check(_context.Sites[site], _roster!.Sites.First(other => other.Site == _context.Sites[site]).Certificate);
        return key is not null && key.VerifyHash(_view, signature);
    }

    /// <summary>
    /// A message that does not follow the last one. Asked again about survivors, a site would give out both kinds of shares.
    /// </summary>
    private AbortReason? OutOfTurn(State expected, ReadOnlySpan<byte> message)
    {
        var digest = SHA256.HashData(message);
        if (_state == expected && _heard.TryAdd(expected, digest)) return null;
        if (!_heard.TryGetValue(expected, out var heard)) return AbortReason.OutOfOrder;
        return expected == State.Masking && !heard.AsSpan().SequenceEqual(digest) ? AbortReason.BothSharesAsked : AbortReason.AskedTwice;
    }

    private Advertisement? Peer(int index)
    {
        if (index == _self || index >= _context.Sites.Length) return null;
        var site = _context.Sites[index];
        return _roster!.Sites.FirstOrDefault(other => other.Site == site);
    }

    private SealedShare Seal(Advertisement holder, int index, SharePair pair)
    {
        var secret = _shareKey.Agree(holder.ShareKey);
        var sealedShare = ShareBox.Seal(Keys(), secret, _rosterDigest, _self, index, pair);
        CryptographicOperations.ZeroMemory(secret);
        return sealedShare;
    }

    private (SharePair? Shares, AbortReason Reason) Open(Advertisement dealer, SealedShare share)
    {
        var secret = _shareKey.Agree(dealer.ShareKey);
        var opened = ShareBox.Open(Keys(), secret, _rosterDigest, share.Site, _self, share);
        CryptographicOperations.ZeroMemory(secret);
        return opened;
    }

    private KeySchedule Keys() => new(_context.Digest(), _rosterDigest);

    private StepOutcome.Aborted Abort(AbortReason reason, SiteId? site = null)
    {
        // The first reason stays: what follows it is only its echo.
        _abort ??= new SumAbort(reason, site);
        _state = State.Aborted;
        Forget();
        return new StepOutcome.Aborted(_abort);
    }

    private void Forget()
    {
        foreach (var pair in _held.Values) pair.Clear();
        CryptographicOperations.ZeroMemory(_seed);
        _maskKey.Dispose();
        _shareKey.Dispose();
    }

    private static byte PointOf(int index) => (byte)(index + 1);

    private static void IncludeCleared(MaskSet masks, byte[] key, bool add)
    {
        masks.Include(key, add);
        CryptographicOperations.ZeroMemory(key);
    }
}
