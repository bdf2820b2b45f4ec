using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Masking;
using FedSeg.SecureAggregation.Server;

namespace FedSeg.Coordinator.Blind;

/// <summary>
/// Unmasks from what is stored: when a round closes and when an auditor doubts it, so that both get the same bits. Signatures are checked
/// again; that the authority signed
/// the certificates was checked when they came, and need not be true any more years later.
/// </summary>
internal static class StoredExchange
{
    /// <summary>The masks left in the sum of the survivors' updates.</summary>
    /// <returns>The caller's to dispose.</returns>
    /// <exception cref="AggregationException">What is stored does not unmask them.</exception>
    public static MaskSet Recover(ExchangeFiles files, RoundPlan plan, IReadOnlyCollection<SiteId> survivors)
    {
        var server = new SumServer(SumContext.Of(plan), (_, certificate) => SiteCertificates.ReadKey(certificate));
        while (server.Stage != SumStage.Done)
        {
            var stage = server.Stage;
            foreach (var site in stage == SumStage.Masked ? [] : server.Awaited)
            {
                if (files.Find(stage, site) is { } message) server.Accept(stage, site, message);
            }

            if (server.Close(stage == SumStage.Masked ? survivors : null) is { } reason) throw new AggregationException(
                $"the masked updates can't be unmasked ({stage}: {reason})");
        }

        var (masks, abort) = server.Recover();
        return masks ?? throw new AggregationException($"the masked updates can't be unmasked ({abort!.Reason} by site '{abort.Site}')");
    }
}
