using System.Security.Cryptography;
using FedSeg.Egress;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Tests;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.Ledger.Storage;
using FedSeg.Testing;

namespace FedSeg.SiteAgent.Tests;

/// <summary>Plans as a gate with a standing approval approves them: nobody else can.</summary>
internal static class ApprovedPlans
{
    public const string StandingApproval = "plansWithin: { maximumRounds: 10000, maximumStepsPerRound: 1000000, maximumParameters: 1000000000 }\n";

    public static async Task<ApprovedPlan> OfAsync(RoundPlan plan)
    {
        using var folder = new TemporaryFolder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var ledger = LedgerWriter.Open(folder["ledger"], "fedseg/site/north", key, TimeProvider.System);
        var authority = FederationAuthority.Create(folder["authority"], "test", TimeProvider.System);
        using var coordinator = SigningCoordinator.Of(authority, "127.0.0.1");
        var options = new EgressOptions
        {
            Site = SiteId.Parse("north"),
            Recipient = "https://127.0.0.1:1",
            PolicyPath = folder.Write("policy.yaml", "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\n" + StandingApproval),
            OutboxDirectory = folder["outbox"],
            DeskDirectory = folder["desk"],
            AuthorityPath = authority.CertificatePath,
        };
        using var gate = new EgressGate(options, ledger, TimeProvider.System, RandomNumberGenerator.Create(), Hosting.Faults.Failpoints.None);
        return Assert.IsType<PlanOutcome.Approved>(await gate.ApprovePlanAsync(coordinator.Sign(plan, "north", TimeProvider.System.GetUtcNow()))).Plan;
    }
}
