using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.SiteAgent.Coordinator;

/// <summary>What the coordinator asks of this site.</summary>
internal abstract record Assignment
{
    private Assignment() { }

    /// <summary>A round to do.</summary>
    /// <param name="Plan">The plan's canonical bytes, not yet believed.</param>
    /// <param name="Signature">Neither.</param>
    public sealed record Round(ReadOnlyMemory<byte> Plan, PlanSignature Signature) : Assignment;

    /// <summary>A run that is over: stop working on it.</summary>
    public sealed record RunEnded(RunId Run) : Assignment;
}

/// <summary>The coordinator's answer to an update.</summary>
/// <param name="Accepted">It holds the update durably and counts it.</param>
/// <param name="Refusal">One word why not.</param>
internal sealed record UploadAnswer(bool Accepted, string Refusal);

/// <summary>The connection could not be made or broke; what was being done can be done again.</summary>
internal sealed class ConnectionLostException(string message, Exception inner) : Exception(message, inner);
