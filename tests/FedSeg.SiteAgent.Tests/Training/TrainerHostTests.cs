using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Hosting.Programs;
using FedSeg.Ledger.Storage;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Tests.Training;

/// <summary>The fake trainer's Finished counts the runs of its process: 1 again means a new process.</summary>
public sealed class TrainerHostTests : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-host-");
    private readonly TrainerHost _host;

    /// <summary>What is found out of isolation, in turn; after the last nobody may ask again.</summary>
    private readonly Queue<TrainerIsolation> _isolations = new([new TrainerIsolation(["env"])]);

    public TrainerHostTests() => _host = new TrainerHost(
        Options.Create(new AgentOptions
        {
            DataDirectory = _folder.FullName,
            Cohort = new CohortOptions { Directory = _folder.FullName },
            Trainer = new TrainerOptions { Path = ProgramFiles.Find("FedSeg.FakeTrainer"), Device = "cpu" },
        }),
        TimeProvider.System,
        NullLogger<TrainerHost>.Instance)
    {
        Detect = _ => Task.FromResult(_isolations.Dequeue()),
    };

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task RunAsync_RoundsOfOneRun_ShareAProcess()
    {
        Assert.Equal(1, await RunAsync(Plans.Good()));
        Assert.Equal(2, await RunAsync(Plans.Good() with { Round = 2 }));
    }

    [Fact]
    public async Task RunAsync_AnotherRun_HasAProcessOfItsOwn()
    {
        await RunAsync(Plans.Good());

        Assert.Equal(1, await RunAsync(Plans.Good() with { Run = RunId.Parse("run-other") }));
    }

    [Fact]
    public async Task CloseAsync_OfAnotherRun_LeavesTheWorkingTrainerAlone()
    {
        await RunAsync(Plans.Good());

        await _host.CloseAsync(RunId.Parse("run-other"));

        Assert.Equal(2, await RunAsync(Plans.Good()));
    }

    [Fact]
    public async Task CloseAsync_OfItsRun_EndsTheTrainer()
    {
        await RunAsync(Plans.Good());

        await _host.CloseAsync(Plans.Good().Run);

        Assert.Equal(1, await RunAsync(Plans.Good()));
    }

    /// <summary>The one run ends while the trainer of the next one waits for its own to be gone.</summary>
    [Fact]
    public async Task CloseAsync_OfARunWhoseTrainerIsBeingReplaced_LeavesTheNewOneAlone()
    {
        await RunAsync(Plans.Good());
        var other = await ApprovedPlans.OfAsync(Plans.Good() with { Run = RunId.Parse("run-other") });
        var running = _host.RunAsync(other, Command(other.Plan), TestContext.Current.CancellationToken);

        await _host.CloseAsync(Plans.Good().Run);

        Assert.Equal(1, Assert.IsType<TrainerEvent.Finished>(await running).Steps);
        Assert.Equal(2, await RunAsync(other.Plan));
    }

    /// <summary>No process or handle was left for the probe: that says nothing of the next time.</summary>
    [Fact]
    public async Task CanIsolateAsync_ProbeThatFailedOnce_IsTriedAgainUntilItWorks()
    {
        _isolations.Clear();
        _isolations.Enqueue(TrainerIsolation.None);
        _isolations.Enqueue(new TrainerIsolation(["env"]));

        Assert.False(await _host.CanIsolateAsync(TestContext.Current.CancellationToken));
        Assert.True(await _host.CanIsolateAsync(TestContext.Current.CancellationToken));
        Assert.True(await _host.CanIsolateAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("dying-60-120", true, 2)] // dies twice, each time past another checkpoint
    [InlineData("dying-90-110", true, 2)] // the same, with few steps between
    [InlineData("dying-20-40", false, 1)] // dies before its first
    [InlineData("dying-60-99", false, 2)] // goes on from the first and does not reach the second
    [InlineData("dying-own-60-120", true, 2)] // the same on the site's own model, when no step on the federation's is left
    [InlineData("dying-own-20-40", false, 2)]
    public async Task RunAsync_TrainerDies_IsStartedAgainWhileItGetsFurther(string update, bool finishes, int deaths)
    {
        var state = Directory.CreateDirectory(Path.Combine(_folder.FullName, "state"));
        var run = Command(Plans.Good()) with { UpdatePath = update, StateDirectory = state.FullName, CheckpointEverySteps = 50 };

        var outcome = await _host.RunAsync(await ApprovedPlans.OfAsync(run.Plan), run, TestContext.Current.CancellationToken);

        Assert.Equal(finishes, outcome is TrainerEvent.Finished);
        Assert.Equal(deaths, state.GetFiles().Length);
    }

    [Fact]
    public async Task RunAsync_PatientWithdrewMeanwhile_GoesOnInANewProcessWithoutThem()
    {
        Assert.Equal(1, await RunAsync(Plans.Good()));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var ledger = LedgerWriter.Open(Path.Combine(_folder.FullName, "ledger"), "fedseg/site/north", key, TimeProvider.System);
        await ledger.AppendAsync("patientWithdrawn", new Dictionary<string, string> { ["patient"] = new('a', 64) });

        Assert.Equal(1, await RunAsync(Plans.Good() with { Round = 2 }));
        Assert.Equal(2, await RunAsync(Plans.Good() with { Round = 3 }));
    }

    private static TrainerCommand.Run Command(RoundPlan plan) => new() { Plan = plan, ModelPath = "model", UpdatePath = "update" };

    private async Task<int> RunAsync(RoundPlan plan) =>
        Assert.IsType<TrainerEvent.Finished>(await _host.RunAsync(await ApprovedPlans.OfAsync(plan), Command(plan), TestContext.Current.CancellationToken)).Steps;
}
