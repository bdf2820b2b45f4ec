using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation.Messages;

namespace FedSeg.SecureAggregation.Sites;

/// <summary>Holds a roster against what a site knows by itself: the plan's sites, the authority's signature, its own keys.</summary>
internal static class RosterCheck
{
    /// <summary>Why the roster can't be the round's; <see langword="null"/> when it can.</summary>
    /// <param name="roster">As the server sent it.</param>
    /// <param name="context">What this site was told to do.</param>
    /// <param name="own">What this site advertised.</param>
    /// <param name="fewest">Fewest sites this site takes part with.</param>
    /// <param name="check">Knows the authority.</param>
    public static SumAbort? Problem(Roster roster, SumContext context, Advertisement own, int fewest, SiteKeyCheck check)
    {
        foreach (var site in roster.Sites)
        {
            if (context.IndexOf(site.Site) < 0) return new SumAbort(AbortReason.UnknownSite);
            if (site.Site == own.Site) continue;
            if (site.Problem(context, check) is { } problem) return new SumAbort(problem, site.Site);
        }

        if (roster.Sites.FirstOrDefault(site =>
            site.Site == own.Site) is not { } echoed || !echoed.ToBytes().AsSpan().SequenceEqual(own.ToBytes()))
        {
            return new SumAbort(AbortReason.OwnKeyChanged);
        }

        if (RepeatedKey(roster) is { } repeated) return new SumAbort(AbortReason.KeyRepeated, repeated);
        return roster.Sites.Length < Math.Max(context.Threshold, fewest) ? new SumAbort(AbortReason.TooFewSites) : null;
    }

    private static SiteId? RepeatedKey(Roster roster)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var site in roster.Sites)
        {
            if (!seen.Add(Convert.ToHexString(site.ShareKey)) || !seen.Add(Convert.ToHexString(site.MaskKey))) return site.Site;
        }

        return null;
    }
}
