using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;

namespace FedSeg.EndToEnd.Tests;

/// <summary>Invariants I1, I2 and I4: an acknowledged update survives a kill, counts once, and the model is the same as without the kill.</summary>
public sealed class CrashRecoveryTests(PhantomCohorts cohorts)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KillCoordinator_InTheMiddleOfARound_GoesOnInThatRoundWithTheSameFinalModel()
    {
        var undisturbed = await RunUndisturbedAsync();

        await using var federation = new TestFederation(cohorts);
        var coordinator = await federation.Demo.StartCoordinatorAsync(Cancellation);
        // The last site stays away, so that the round is open with two updates accepted when the coordinator dies.
        foreach (var site in federation.Sites.SkipLast(1)) federation.Demo.StartAgent(site);
        var runId = await federation.SubmitAsync(federation.Job(), Cancellation);
        var before = await federation.WaitAsync(runId, run => run.Rounds is [{ } first] && first.Sites.Count(site => site.State == "accepted") == 2, Cancellation);

        await federation.Demo.KillAsync(coordinator);
        await federation.Demo.StartCoordinatorAsync(Cancellation);

        var after = await federation.Runs.ShowAsync(new Protocol.V1.RunKey { RunId = runId }, cancellationToken: Cancellation);
        Assert.Equal(before.Rounds, after.Rounds);
        federation.Demo.StartAgent(federation.Sites[^1]);
        var ended = await federation.WaitForEndAsync(runId, Cancellation);

        Assert.Equal("completed", ended.Status);
        Assert.Equal(before.Rounds[0].Sites.Where(site => site.State == "accepted").Select(site => site.Digest), ended.Rounds[0].Sites.Take(2).Select(site => site.Digest));
        Assert.Equal(undisturbed.Model.Sha256, ended.Model.Sha256);
        Assert.Contains("Resumed " + runId, federation.Log("coordinator"));
        federation.AssertNoErrorsLogged();
    }

    [Fact]
    public async Task KillAgent_WithAnApprovedUpdateUnsent_SendsTheSameUpdateOnceAfterARestart()
    {
        await using var federation = new TestFederation(cohorts, "north");
        var coordinator = await federation.Demo.StartCoordinatorAsync(Cancellation);
        var agent = federation.Demo.StartAgent("north");
        var runId = await federation.SubmitAsync(federation.Job(rounds: 1, steps: 12), Cancellation);
        await WaitForLogAsync(federation, "agent-north", "Trainer read the cohort");
        // With the coordinator away the agent trains, clears the update, and can't send it.
        await federation.Demo.KillAsync(coordinator);
        await WaitForDecisionAsync(federation.Demo.LedgerDirectory("north"));
        await federation.Demo.KillAsync(agent);

        await federation.Demo.StartCoordinatorAsync(Cancellation);
        federation.Demo.StartAgent("north");
        var ended = await federation.WaitForEndAsync(runId, Cancellation);

        Assert.Equal("completed", ended.Status);
        // One for the round, one for the closing evaluation; none was trained twice.
        Assert.Equal(2, federation.Log("agent-north").Split("Trainer finished").Length - 1);
        Assert.True(LedgerVerifier.VerifyFolder(federation.Demo.LedgerDirectory("north")).Verified);
        federation.AssertNoErrorsLogged();
    }

    private async Task<Protocol.V1.Run> RunUndisturbedAsync()
    {
        await using var federation = new TestFederation(cohorts);
        await federation.StartAllAsync(Cancellation);
        var ended = await federation.WaitForEndAsync(await federation.SubmitAsync(federation.Job(), Cancellation), Cancellation);
        Assert.Equal("completed", ended.Status);
        federation.AssertNoErrorsLogged();
        return ended;
    }

    private static async Task WaitForLogAsync(TestFederation federation, string process, string words)
    {
        for (var attempt = 0; !federation.Log(process).Contains(words, StringComparison.Ordinal); attempt++)
        {
            Assert.True(attempt < 2400, $"'{words}' did not appear in the log of {process}: {federation.Log(process)}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }
    }

    /// <summary>Waits until the site's ledger notes that the update may leave.</summary>
    private static async Task WaitForDecisionAsync(string ledger)
    {
        for (var attempt = 0; !LedgerReader.Open(ledger).Entries().Any(entry => entry.Action == "egressDecided"); attempt++)
        {
            Assert.True(attempt < 1200, "The gate decided nothing.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }
    }
}
