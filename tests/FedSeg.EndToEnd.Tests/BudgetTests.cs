using System.Globalization;
using System.Text.Json;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;
using FedSeg.Privacy.Accounting;

namespace FedSeg.EndToEnd.Tests;

/// <summary>
/// A privacy budget through real processes: private training, charges before releases, and a no when it is spent, to every run.
/// </summary>
public sealed class BudgetTests(PhantomCohorts cohorts)
{
    // Of the twelve studies ten are trained on; they are of eight patients.
    private const int TrainingPatients = 8, StepsPerRound = 2;
    private const double ExpectedBatch = 2, Noise = 1, Delta = 1e-4;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PrivateRounds_BudgetOfTwo_LeaveTwiceAndNeverAgainWhateverTheRun()
    {
        await using var federation = new TestFederation(cohorts, "north");
        var budget = (EpsilonOf(2) + EpsilonOf(3)) / 2;
        await File.WriteAllTextAsync(
            Path.Combine(federation.Demo.SiteDirectory("north"), "egress-policy.yaml"),
            FormattableString.Invariant($$"""
                maximumUpdateBytes: 100000000
                runsWithoutCharter: true
                maximumNorm: 1000
                minimumTrainingCases: 1
                review: auto-within-bounds
                plansWithin: { maximumRounds: 10, maximumStepsPerRound: 10, maximumParameters: 1000000 }
                privacyBudget: { cohort: kidneys, maximumEpsilon: {{budget}}, delta: {{Delta}} }

                """),
            Cancellation);
        await federation.StartAllAsync(Cancellation);

        var first = await federation.WaitForEndAsync(await federation.SubmitAsync(PrivateJob(federation, rounds: 4), Cancellation),
            Cancellation);
        Assert.Equal("failed", first.Status);
        Assert.Equal(["accepted", "accepted", "dropped"], first.Rounds.Select(round => Assert.Single(round.Sites).State));

        // Another run over the same patients draws on the same budget.
        var second = await federation.WaitForEndAsync(await federation.SubmitAsync(PrivateJob(federation, rounds: 1), Cancellation),
            Cancellation);
        Assert.Equal("failed", second.Status);
        Assert.Equal("dropped", Assert.Single(Assert.Single(second.Rounds).Sites).State);

        await federation.Demo.StopAsync();
        var entries = LedgerReader.Open(federation.Demo.LedgerDirectory("north")).Entries().ToList();
        var approved = entries.Where(entry => entry.Action == "egressDecided" && entry.Facts["decision"] == "approved").ToList();
        Assert.Equal([EpsilonOf(1), EpsilonOf(2)], approved.Select(entry =>
            double.Parse(entry.Facts["epsilonAfter"], CultureInfo.InvariantCulture)), (left, right) => Math.Abs(left - right) < 1e-9);
        Assert.Equal(2, entries.Count(entry => entry.Action == "egressSent"));
        Assert.Equal(2, entries.Count(entry => entry.Action == "egressRequested"
            && entry.Facts["rule.privacyWithinBudget"].StartsWith("failed", StringComparison.Ordinal)));

        // What was charged is what left: the same updates, written before they did.
        using var charges = JsonDocument.Parse(await File.ReadAllBytesAsync(
            Path.Combine(federation.Demo.SiteDirectory("north"), "data", "desk", "budgets", "kidneys.json"), Cancellation));
        Assert.Equal(
            approved.Select(entry => entry.Facts["update"]),
            charges.RootElement.GetProperty("charges").EnumerateArray().Select(charge => charge.GetProperty("release").GetString()));
        Assert.True(LedgerVerifier.VerifyFolder(federation.Demo.LedgerDirectory("north")).Verified);
    }

    private static string PrivateJob(TestFederation federation, int rounds) => federation.Job(rounds, StepsPerRound).Replace(
        "  batchSize: 1\n",
        FormattableString.Invariant(
            $"  batchSize: 1\n  privacy: {{ expectedBatch: {ExpectedBatch}, delta: {Delta}, patchesPerPatient: 1, noiseMultiplier: {Noise} }}\n"),
        StringComparison.Ordinal);

    private static double EpsilonOf(int rounds) => new RdpAccountant()
        .Add(new SampledGaussian(ExpectedBatch / TrainingPatients, Noise, StepsPerRound * rounds)).Epsilon(Delta).Epsilon;
}
