using FedSeg.Federation.Planning;
using FedSeg.Ledger.Storage;

namespace FedSeg.EndToEnd.Tests;

/// <summary>A job that names no network: the sites' fingerprints decide, through the real processes and the real gate.</summary>
public sealed class PlannedRunTests(PhantomCohorts cohorts)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PlannedRun_CoordinatorKilledAfterThePlanIsFrozen_TrainsThatNetworkEverywhere()
    {
        await using var federation = new TestFederation(cohorts, "east", "north");
        var coordinator = await federation.Demo.StartCoordinatorAsync(Cancellation);
        foreach (var site in federation.Sites) federation.Demo.StartAgent(site);
        var runId = await federation.SubmitAsync(Job(federation), Cancellation);
        var frozen = await federation.WaitAsync(runId, run => run.PlanSha256.Length > 0, Cancellation);
        await federation.Demo.KillAsync(coordinator);
        await federation.Demo.StartCoordinatorAsync(Cancellation);
        var ended = await federation.WaitForEndAsync(runId, Cancellation);

        Assert.Equal("completed", ended.Status);
        Assert.Equal(["fingerprint", "train", "evaluate"], ended.Rounds.Select(round => round.Task));
        Assert.All(ended.Rounds.SelectMany(round => round.Sites), site => Assert.Equal("accepted", site.State));
        Assert.Equal(frozen.PlanSha256, ended.PlanSha256);
        var plan = TrainingPlan.FromBytes(ended.Plan.Span);
        Assert.Equal(frozen.PlanSha256, plan.Digest().ToString());

        // What the sites told one by one and the coordinator added up gives the plan that the command line makes of the same data.
        Assert.Equal(ended.PlanSha256, await PlanOfAsync(federation));
        var recomputed = await FedsegCommand.RunAsync(Cancellation, "model", "recompute", runId, "--data", Path.Combine(federation.Demo.CoordinatorDirectory, "data"), "--json");
        Assert.True(recomputed.Json.GetProperty("verified").GetBoolean(), recomputed.Output);
        await federation.Demo.StopAsync();

        Assert.Contains(LedgerReader.Open(Path.Combine(federation.Demo.CoordinatorDirectory, "data", "ledger")).Entries(), entry =>
            entry.Action == "planFrozen" && entry.Facts["plan"] == frozen.PlanSha256);
        foreach (var site in federation.Sites)
        {
            var entries = LedgerReader.Open(federation.Demo.LedgerDirectory(site)).Entries().ToList();
            Assert.Contains(entries, entry => entry.Action == "egressRequested" && entry.Facts["task"] == "fingerprint" && entry.Facts["rule.smallCountsLeftOut"].StartsWith("passed", StringComparison.Ordinal));
            // One approval for the fingerprint, another for the network that came of it.
            Assert.Equal(2, entries.Where(entry => entry.Action == "planDecided").Select(entry => entry.Facts["terms"]).Distinct().Count());
        }

        federation.AssertNoErrorsLogged();
    }

    private static string Job(TestFederation federation) => $"""
        name: planned
        sites: [{string.Join(", ", federation.Sites)}]
        rounds: 1
        labels: [kidney, tumour]
        model:
          architecture: planned
          preset: cpu
        data:
          modality: MR
        training:
          stepsPerRound: 1
        aggregation:
          quorum: {federation.Sites.Count}
        minimumCases: 1

        """;

    private async Task<string> PlanOfAsync(TestFederation federation)
    {
        var data = Directory.CreateDirectory(Path.Combine(federation.Work, "same-data"));
        foreach (var site in federation.Sites) Directory.CreateSymbolicLink(Path.Combine(data.FullName, site), cohorts.Sites[site]);
        var told = Path.Combine(federation.Work, "told");
        var fingerprint = await FedsegCommand.RunAsync(Cancellation, "fingerprint", "--data", data.FullName, "--out", told);
        Assert.True(fingerprint.ExitCode == 0, fingerprint.Error);
        var plan = await FedsegCommand.RunAsync(
            Cancellation, ["plan", "--preset", "cpu", "--json", "--fingerprint", .. federation.Sites.Select(site => Path.Combine(told, site + ".json"))]);
        Assert.True(plan.ExitCode == 0, plan.Error);
        return plan.Json.GetProperty("planSha256").GetString()!;
    }
}
