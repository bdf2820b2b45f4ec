using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Server;

namespace FedSeg.Coordinator.Blind;

/// <summary>
/// One blind round: the sum's server, its messages on disk, and the run's journal, which says who is out and whose masked update counts.
/// Where the round stands follows
/// from these two, so a coordinator that was restarted goes on in the same stage.
/// </summary>
internal sealed class BlindRound
{
    private readonly Lock _gate = new();
    private readonly RoundPlan _plan;
    private readonly ExchangeFiles _files;
    private readonly SumServer _server;
    private TaskCompletionSource _changed = NewSignal();

    /// <summary>Whether it and the disk differ: nothing may be built on it any more, and another one is read.</summary>
    private bool _isStale;

    public BlindRound(RoundPlan plan, ExchangeFiles files, SiteKeyCheck check)
    {
        (_plan, _files) = (plan, files);
        _server = new SumServer(SumContext.Of(plan), check);
        Replay();
    }

    /// <summary>What it waits for.</summary>
    public SumStage Stage
    {
        get
        {
            lock (_gate) return _server.Stage;
        }
    }

    /// <summary>Whether enough sites have answered in this stage.</summary>
    public bool HasEnough
    {
        get
        {
            lock (_gate) return _server.HasEnough;
        }
    }

    /// <summary>Why the sum can't be unmasked; <see langword="null"/> as long as it can.</summary>
    public AbortReason? Failure
    {
        get
        {
            lock (_gate) return _server.Failure;
        }
    }

    /// <summary>A signal of the next message or the next stage, or that another one takes over. Take it before looking.</summary>
    public Task NextChange
    {
        get
        {
            lock (_gate) return _isStale ? Task.CompletedTask : _changed.Task;
        }
    }

    /// <summary>Takes a site's message; durable when it counts.</summary>
    /// <param name="stage">What it is for.</param>
    /// <param name="site">From the client certificate.</param>
    /// <param name="message">Not yet believed.</param>
    /// <param name="isOut">Whether the journal has the site as dropped; asked while nobody else can change the stage.</param>
    /// <returns>Why it is refused.</returns>
    /// <exception cref="IOException">The disk refused; this round must be rebuilt.</exception>
    public AbortReason? Accept(SumStage stage, SiteId site, byte[] message, Func<bool> isOut)
    {
        lock (_gate)
        {
            // The answer to it was lost on its way.
            if (_files.Find(stage, site) is { } known && known.AsSpan().SequenceEqual(message)) return null;
            if (_isStale) throw new IOException("The round is being read anew from the disk.");
            if (isOut()) return AbortReason.OutOfOrder;
            if (_server.Accept(stage, site, message) is { } refusal) return refusal;
            // Until it is on the disk it counts here and not there.
            _isStale = true;
            _files.Write(stage, site, message);
            _isStale = false;
            Signal();
            return null;
        }
    }

    /// <summary>Wakes whoever waits here or still would, for a successor that is read from the disk.</summary>
    public void GiveWay()
    {
        lock (_gate)
        {
            _isStale = true;
            Signal();
        }
    }

    /// <summary>
    /// What a site is told after a stage, and whether the stage is over; over without a message means that the site has no part in what
    /// follows.
    /// </summary>
    public (byte[]? Message, bool IsOver) MessageAfter(SumStage stage, SiteId site)
    {
        lock (_gate) return _isStale ? (null, false) : (_server.MessageAfter(stage, site), _server.Stage > stage);
    }

    /// <summary>Whether a site's masked update may come now.</summary>
    public bool AwaitsUpdateOf(SiteId site)
    {
        lock (_gate) return !_isStale && _server.Stage == SumStage.Masked && _server.Awaited.Contains(site);
    }

    /// <summary>Closes every stage for which nobody is awaited any more.</summary>
    /// <param name="round">The round as the journal has it.</param>
    /// <param name="patienceIsOver">Whether the stage waits no longer.</param>
    /// <returns>Sites to be dropped first, because they kept the stage waiting too long.</returns>
    public IReadOnlyList<SiteId> Advance(RoundState round, bool patienceIsOver)
    {
        lock (_gate)
        {
            while (!_isStale && _server.Stage != SumStage.Done)
            {
                var awaited = _server.Awaited.Where(site => IsAwaited(site, round)).ToList();
                if (awaited.Count > 0 && !patienceIsOver) return [];
                // Who is in the journal with a masked update stays in the sum; the others have to be out of it before anybody is told.
                if (awaited.Count > 0 && _server.Stage <= SumStage.Masked) return awaited;
                _server.Close(_server.Stage == SumStage.Masked ? [.. round.Accepted.Keys] : null);
                patienceIsOver = false;
                Replay();
                Signal();
            }

            return [];
        }
    }

    private bool IsAwaited(SiteId site, RoundState round) => _server.Stage switch
    {
        SumStage.Keys or SumStage.Shares => !round.Dropped.ContainsKey(site),
        SumStage.Masked => !round.Answered(site),
        _ => true,
    };

    /// <summary>Feeds the stage what had come in for it before a restart.</summary>
    private void Replay()
    {
        foreach (var site in _server.Stage is SumStage.Masked or SumStage.Done ? [] : _plan.Blind!.Sites)
        {
            if (_files.Find(_server.Stage, site) is { } message) _server.Accept(_server.Stage, site, message);
        }
    }

    private void Signal()
    {
        var changed = _changed;
        _changed = NewSignal();
        changed.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
