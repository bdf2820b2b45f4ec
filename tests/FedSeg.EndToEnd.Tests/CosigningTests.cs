using FedSeg.Ledger.Verifier;

namespace FedSeg.EndToEnd.Tests;

/// <summary>Site and coordinator cosign each other's ledger, so that neither can take back what it wrote.</summary>
public sealed class CosigningTests(PhantomCohorts cohorts)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AfterARun_EachLedgerIsCosignedByTheOther_AndARolledBackOneIsFoundOut()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await federation.Demo.StartCoordinatorAsync(Cancellation);
        var agent = federation.Demo.StartAgent("north");
        var (site, coordinator) = (federation.Demo.LedgerDirectory("north"), Path.Combine(federation.Demo.CoordinatorDirectory, "data", "ledger"));
        await UntilAsync(() => Witnessed(coordinator) is not null);
        var ended = await federation.WaitForEndAsync(await federation.SubmitAsync(federation.Job(rounds: 1, steps: 1), Cancellation), Cancellation);
        Assert.Equal("completed", ended.Status);

        await UntilAsync(() => LedgerVerifier.VerifyFolder(site) is { Verified: true, Entries: > 0 } verdict && verdict.CosignedSize == verdict.Entries);
        Assert.Null(LedgerVerifier.VerifyFolder(site, null, Witnessed(coordinator)).Problem);
        var verdictOfCoordinator = LedgerVerifier.VerifyFolder(coordinator, null, Witnessed(site));
        Assert.Null(verdictOfCoordinator.Problem);
        // The initial model and the round's, the round's update and the evaluation's.
        Assert.Equal(4, verdictOfCoordinator.Entries);
        Assert.True(verdictOfCoordinator.CosignedSize > 0);
        federation.AssertNoErrorsLogged();

        // The site takes its whole ledger back, key, tiles and all: by itself it is whole, to the coordinator it is not.
        await federation.Demo.KillAsync(agent);
        Directory.Delete(site, recursive: true);
        federation.Demo.StartAgent("north");
        await UntilAsync(() => federation.Log("agent-north").Contains("was rolled back or rewritten", StringComparison.Ordinal));
        Assert.True(LedgerVerifier.VerifyFolder(site).Verified);
        Assert.Equal(0, LedgerVerifier.VerifyFolder(site, null, Witnessed(coordinator)).FirstBadIndex);
    }

    /// <summary>Where a party keeps what it cosigned: beside its ledger.</summary>
    private static string? Witnessed(string ledger)
    {
        var folder = Path.Combine(Path.GetDirectoryName(ledger)!, "witnessed");
        return Directory.Exists(folder) ? Directory.GetFiles(folder, "cosigned", SearchOption.AllDirectories).SingleOrDefault() : null;
    }

    private static async Task UntilAsync(Func<bool> reached)
    {
        for (var attempt = 0; !reached(); attempt++)
        {
            Assert.True(attempt < 1200, "It did not get there in two minutes.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancellation);
        }
    }
}
