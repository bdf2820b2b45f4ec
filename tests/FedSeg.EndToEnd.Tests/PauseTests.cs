namespace FedSeg.EndToEnd.Tests;

/// <summary>A paused run asks nothing of its sites, also after a restart of the coordinator, and goes on when a person says so.</summary>
public sealed class PauseTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PausedRun_AsksNothingOfItsSitesAcrossARestart_AndCompletesWhenResumed()
    {
        await using var federation = new CrashFederation();
        Task<CommandResult> Job(string verb, string run) => FedsegCommand.RunAsync(Cancellation, "job", verb, run, "--json", "--profile", federation.Local.ProfilePath);
        federation.Start(CrashFederation.Coordinator);
        await federation.BackAsync(CrashFederation.Coordinator, Cancellation);
        var run = await federation.SubmitAsync(rounds: 2, Cancellation);
        Assert.Equal("paused", (await Job("pause", run)).Json.GetProperty("status").GetString());

        await federation.RestartAsync(CrashFederation.Coordinator);
        federation.Start(CrashFederation.North);
        federation.Start(CrashFederation.South);
        await federation.BackAsync(CrashFederation.North, Cancellation);
        await federation.BackAsync(CrashFederation.South, Cancellation);
        Assert.Equal("paused", (await Job("show", run)).Json.GetProperty("status").GetString());
        Assert.Equal(0, federation.LogCount(CrashFederation.North, "Started run-"));

        Assert.Equal("running", (await Job("resume", run)).Json.GetProperty("status").GetString());
        var ended = await federation.EndAsync(Cancellation);
        await federation.AssertNothingLostAsync(ended, Cancellation);
    }
}
