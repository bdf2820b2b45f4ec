using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Planning;

namespace FedSeg.Federation.Rounds;

/// <summary>
/// One fact of a run's journal. The journal is the run: <see cref="RunState.Apply"/> folds its events into what is true now, and
/// nothing else is remembered across a restart.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(Created), "created")]
[JsonDerivedType(typeof(RoundOpened), "roundOpened")]
[JsonDerivedType(typeof(UpdateAccepted), "updateAccepted")]
[JsonDerivedType(typeof(SiteDropped), "siteDropped")]
[JsonDerivedType(typeof(SiteWaits), "siteWaits")]
[JsonDerivedType(typeof(MergeBegun), "mergeBegun")]
[JsonDerivedType(typeof(RoundClosed), "roundClosed")]
[JsonDerivedType(typeof(PlanFrozen), "planFrozen")]
[JsonDerivedType(typeof(Paused), "paused")]
[JsonDerivedType(typeof(Unpaused), "unpaused")]
[JsonDerivedType(typeof(Ended), "ended")]
public abstract record RunEvent
{
    private RunEvent() { }

    /// <summary>When it was noted, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>A job was submitted and its first global model lies in the blob store, unless its network is still to be planned.</summary>
    public sealed record Created : RunEvent
    {
        public required JobSpec Job { get; init; }

        /// <summary>The signed-in person.</summary>
        public required string SubmittedBy { get; init; }

        /// <summary>The first global model; <see cref="ModelRef.None"/> until the network is planned.</summary>
        public required ModelRef InitialModel { get; init; }
    }

    /// <summary>The fingerprint round ended with enough answers: what every round from now on trains. The first global model lies in the blob store.</summary>
    public sealed record PlanFrozen : RunEvent
    {
        public required TrainingPlan Plan { get; init; }

        /// <summary>SHA-256 of the plan's canonical bytes.</summary>
        public required Sha256Digest Sha256 { get; init; }

        public required ModelRef InitialModel { get; init; }
    }

    /// <summary>A round began; its plan follows from the job, the number and the base model.</summary>
    public sealed record RoundOpened : RunEvent
    {
        public required int Round { get; init; }

        public required ModelRef BaseModel { get; init; }
    }

    /// <summary>A site's answer is durable and counts.</summary>
    public sealed record UpdateAccepted : RunEvent
    {
        public required SiteReport Report { get; init; }

        /// <summary>What the site's gate sealed: SHA-256 over report and payload digest; the idempotency key.</summary>
        public required Sha256Digest Digest { get; init; }

        /// <summary>The stored weights; absent for an evaluation.</summary>
        public required ModelRef? Weights { get; init; }

        /// <summary>The site's ECDSA signature over <see cref="Digest"/>, base64.</summary>
        public required string Signature { get; init; }
    }

    /// <summary>A site said that it will not deliver in this round.</summary>
    public sealed record SiteDropped : RunEvent
    {
        public required int Round { get; init; }

        public required SiteId Site { get; init; }

        public required DropReason Reason { get; init; }
    }

    /// <summary>A site said that one of its people has to decide first. It has not answered yet, and the round's deadline holds all the same.</summary>
    public sealed record SiteWaits : RunEvent
    {
        public required int Round { get; init; }

        public required SiteId Site { get; init; }
    }

    /// <summary>
    /// The merge of a round begins. If nothing follows, the merge ended the process: so a round that does that again and again is known by its entries.
    /// </summary>
    public sealed record MergeBegun : RunEvent
    {
        public required int Round { get; init; }
    }

    /// <summary>A round ended with enough answers.</summary>
    public sealed record RoundClosed : RunEvent
    {
        public required int Round { get; init; }

        /// <summary>The new global model; absent for an evaluation.</summary>
        public required ModelRef? Model { get; init; }

        /// <summary>What the strategy remembers for the next round.</summary>
        public ImmutableSortedDictionary<StatePart, ModelRef> ServerState { get; init; } = ImmutableSortedDictionary<StatePart, ModelRef>.Empty;

        /// <summary>Each update's L2 norm before it was bounded; empty where the strategy bounds none.</summary>
        public ImmutableSortedDictionary<SiteId, double> Norms { get; init; } = ImmutableSortedDictionary<SiteId, double>.Empty;
    }

    /// <summary>A person paused the run: answers still count, and nothing new is asked.</summary>
    public sealed record Paused : RunEvent
    {
        public required string By { get; init; }
    }

    /// <summary>A person lets the run go on.</summary>
    public sealed record Unpaused : RunEvent
    {
        public required string By { get; init; }
    }

    /// <summary>The run is over, one way or another.</summary>
    public sealed record Ended : RunEvent
    {
        public required RunOutcome Outcome { get; init; }

        /// <summary>Why, in a sentence for the data scientist.</summary>
        public required string Reason { get; init; }
    }

    public string ToJson() => JsonSerializer.Serialize(this, FederationJson.Options);

    /// <exception cref="JsonException">Not an event.</exception>
    public static RunEvent FromJson(string json) =>
        JsonSerializer.Deserialize<RunEvent>(json, FederationJson.Options) ?? throw new JsonException("The event is null.");
}

/// <summary>A stored file: its SHA-256 and its length in bytes.</summary>
public sealed record ModelRef(Sha256Digest Sha256, long Bytes)
{
    /// <summary>No file: a run whose network is still to be planned has no model.</summary>
    public static ModelRef None { get; } = new(Sha256Digest.Of([]), 0);
}

/// <summary>How a run ended.</summary>
public enum RunOutcome
{
    Completed,
    Failed,
    Cancelled,
}

/// <summary>Why a site delivers nothing in a round. A code, never a text: the site's own log says more, the federation does not.</summary>
public enum DropReason
{
    /// <summary>No usable case, or fewer than the plan asks for.</summary>
    TooFewCases,

    /// <summary>A label of the run occurs in no case of the site.</summary>
    LabelNotFound,

    /// <summary>The loss or a weight became NaN or infinite.</summary>
    NotFinite,

    OutOfMemory,

    /// <summary>The base model is not what the plan declares.</summary>
    ModelRefused,

    /// <summary>The trainer process ended without an answer.</summary>
    TrainerCrashed,

    /// <summary>Any other fault of the trainer or of the site's agent.</summary>
    TrainerFault,

    /// <summary>The site's egress policy refused the update.</summary>
    RefusedByPolicy,

    /// <summary>The agent does not train this plan.</summary>
    PlanRefused,

    /// <summary>The coordinator refused the update.</summary>
    UpdateRefused,

    /// <summary>A person of the site did not let it leave.</summary>
    RefusedInReview,

    /// <summary>No person of the site decided in time.</summary>
    ReviewExpired,

    /// <summary>The site begins no round for now.</summary>
    SitePaused,

    /// <summary>The site did not answer in time in a step of the blind exchange.</summary>
    LeftExchange,

    /// <summary>The site ended its part in the blind exchange: something in it was not as it must be. Its ledger has the reason.</summary>
    ExchangeAborted,
}
