using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Blind;

/// <summary>A blind round in which this site masked an update that has no differential privacy.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">Its round.</param>
/// <param name="BaseModel">The model that training started from.</param>
/// <param name="Sites">Every site that was asked.</param>
internal sealed record MaskedRound(RunId Run, int Round, Sha256Digest BaseModel, ImmutableArray<SiteId> Sites)
{
    /// <summary>
    /// Whether two sums, of this round and of one among other sites, may differ by one site: their difference is that site's update. Which sites are in a sum the
    /// coordinator says, and it may leave out as many as the threshold lets it: so equal sites are no safer than sites that differ by one. Source: residual leaks of
    /// secure aggregation, FedSeg's reference, section 2.4.
    /// </summary>
    public bool MayIsolateASiteWith(ImmutableArray<SiteId> others)
    {
        var common = Sites.Intersect(others).Count();
        return IsOneMorePossible(Sites.Length, others.Length) || IsOneMorePossible(others.Length, Sites.Length);

        // Sites that are in both sums, and one of the larger round's beside them.
        bool IsOneMorePossible(int larger, int smaller)
        {
            var shared = Math.Max(BlindSpec.ThresholdOf(smaller), BlindSpec.ThresholdOf(larger) - 1);
            return common >= shared && larger > shared;
        }
    }
}
