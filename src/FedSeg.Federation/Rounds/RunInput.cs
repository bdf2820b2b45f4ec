using System.Collections.Immutable;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;

namespace FedSeg.Federation.Rounds;

/// <summary>What a run is told at the coordinator. <see cref="RunProtocol"/> answers with what its sender has to do.</summary>
public abstract record RunInput
{
    private RunInput() { }

    /// <summary>The runner begins with the run, or begins again after a restart or a fault: nothing is under way.</summary>
    public sealed record Resumed : RunInput;

    /// <summary>The runner has done what it was told, or saw the run change while it waited.</summary>
    public sealed record Continued : RunInput
    {
        /// <summary>How long the runner has seen the open round, without the time it was paused, on a clock that nobody sets.</summary>
        public TimeSpan OpenFor { get; init; }

        /// <summary>Sites that attend now.</summary>
        public IReadOnlySet<SiteId> Attending { get; init; } = ImmutableHashSet<SiteId>.Empty;

        /// <summary>How long of that time sites could not begin with it because they work for other runs: busy is not silent.</summary>
        public IReadOnlyDictionary<SiteId, TimeSpan> HeldUp { get; init; } = ImmutableDictionary<SiteId, TimeSpan>.Empty;

        /// <summary>How long the round has waited for a site that was free to answer it.</summary>
        internal TimeSpan WaitedFor(SiteId site)
        {
            var waited = OpenFor - HeldUp.GetValueOrDefault(site);
            return waited > TimeSpan.Zero ? waited : TimeSpan.Zero;
        }
    }

    /// <summary>It is the round's turn to be merged.</summary>
    /// <param name="Round">Its number.</param>
    /// <param name="WasPutOff">Whether this process began with it before and the disk had no room: that is not the round's fault and does not count.</param>
    public sealed record MergeTurn(int Round, bool WasPutOff) : RunInput;

    /// <summary>The runner merged a round's updates; the files are on the disk.</summary>
    public sealed record Merged : RunInput
    {
        /// <summary>The round as it was merged.</summary>
        public required RoundState Round { get; init; }

        public required ModelRef Model { get; init; }

        /// <summary>What the strategy remembers for the next round.</summary>
        public ImmutableSortedDictionary<StatePart, ModelRef> ServerState { get; init; } = ImmutableSortedDictionary<StatePart, ModelRef>.Empty;

        /// <summary>Each update's L2 norm before it was bounded.</summary>
        public ImmutableSortedDictionary<SiteId, double> Norms { get; init; } = ImmutableSortedDictionary<SiteId, double>.Empty;
    }

    /// <summary>The runner planned the network; its first model is on the disk.</summary>
    public sealed record Planned : RunInput
    {
        /// <summary>The fingerprint round as it was planned from.</summary>
        public required RoundState Round { get; init; }

        public required TrainingPlan Plan { get; init; }

        public required ModelRef InitialModel { get; init; }
    }

    /// <summary>The runner can't go on, now or at any later time.</summary>
    /// <param name="Reason">A sentence for the data scientist.</param>
    public sealed record Broke(string Reason) : RunInput;

    /// <summary>A site asks what there is to do.</summary>
    /// <param name="Site">The site.</param>
    /// <param name="HoldsSomething">Whether it may still hold something of the run: a trainer, an update.</param>
    /// <param name="HasTurn">Whether the site works for this run now, or is to; <see cref="Scheduling.SiteTurns"/> knows.</param>
    public sealed record Asked(SiteId Site, bool HoldsSomething, bool HasTurn) : RunInput;

    /// <summary>A site announces an update; none of its bytes has been read.</summary>
    /// <param name="Site">The site.</param>
    /// <param name="Digest">What its gate sealed.</param>
    public sealed record Announced(SiteId Site, Sha256Digest Digest) : RunInput;

    /// <summary>An announced update has passed every check, and its weights are on the disk.</summary>
    public sealed record Stored : RunInput
    {
        public required SiteReport Report { get; init; }

        /// <summary>What the site's gate sealed; the idempotency key.</summary>
        public required Sha256Digest Digest { get; init; }

        /// <summary>The stored weights; absent for an evaluation.</summary>
        public required ModelRef? Weights { get; init; }

        /// <summary>The site's ECDSA signature over <see cref="Digest"/>, base64.</summary>
        public required string Signature { get; init; }
    }

    /// <summary>A site says that it delivers nothing in a round.</summary>
    public sealed record Declined(SiteId Site, int Round, DropReason Reason) : RunInput;

    /// <summary>A site says that one of its people has to decide before it answers.</summary>
    public sealed record AwaitsReview(SiteId Site, int Round) : RunInput;

    /// <summary>A person pauses the run.</summary>
    public sealed record Paused(string By) : RunInput;

    /// <summary>A person lets it go on.</summary>
    public sealed record Unpaused(string By) : RunInput;

    /// <summary>A person ends the run.</summary>
    public sealed record Cancelled(string By) : RunInput;
}
