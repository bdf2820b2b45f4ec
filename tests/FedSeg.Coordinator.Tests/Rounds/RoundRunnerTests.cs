using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Sites;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Coordinator.Rounds;
using FedSeg.Hosting.Faults;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Tests.Rounds;

public sealed class RoundRunnerTests : IDisposable
{
    private readonly CoordinatorOnDisk _coordinator = new();

    private static SiteId North => CoordinatorOnDisk.North;

    private static SiteId East => CoordinatorOnDisk.East;

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task RunAsync_EverySiteAnswersEveryRound_CompletesWithAClosingEvaluation()
    {
        var run = _coordinator.Create().Id;
        var running = _coordinator.Runner.RunAsync(run, CoordinatorOnDisk.Token);

        for (var number = 1; number <= 3; number++)
        {
            var plan = (await _coordinator.UntilAsync(run, state => state.OpenRound?.Plan.Round == number)).OpenRound!.Plan;
            foreach (var site in new[] { North, East }) Assert.Equal(UploadOutcome.Accepted, await SendAsync(plan, site));
        }

        await running;
        var ended = _coordinator.Book.Find(run)!;
        Assert.Equal(RunOutcome.Completed, ended.End!.Outcome);
        Assert.Equal([RoundTask.Train, RoundTask.Train, RoundTask.Evaluate], ended.Rounds.Select(round => round.Plan.Task));
        Assert.Equal(ended.Rounds[0].Model!.Sha256, ended.Rounds[1].Plan.BaseModel);
        Assert.Equal(ended.Rounds[1].Model, ended.Model);
        Assert.Null(ended.Rounds[2].Model);
    }

    [Theory]
    [InlineData(UpdateEncoding.F32)]
    [InlineData(UpdateEncoding.F16)]
    [InlineData(UpdateEncoding.I16)]
    [InlineData(UpdateEncoding.I8)]
    public async Task RunAsync_RoundWithTwoUpdates_MakesTheCaseWeightedMean(UpdateEncoding encoding)
    {
        var job = CoordinatorOnDisk.Job(rounds: 1);
        var run = _coordinator.Create(job with { Recipe = job.Recipe with { UpdateEncoding = encoding } }).Id;
        var running = StartRunning(run, out var plan);
        await SendAsync(plan, North, 0.5f, cases: 10);
        await SendAsync(plan, East, 2f, cases: 30);

        var round = (await _coordinator.UntilAsync(run, state => state.Rounds[0].ClosedAt is not null)).Rounds[0];

        using var before = SafetensorsFile.Open(_coordinator.Blobs.PathOf(plan.BaseModel));
        using var after = SafetensorsFile.Open(_coordinator.Blobs.PathOf(round.Model!.Sha256));
        foreach (var tensor in before.Tensors)
        {
            // (10 · 0.5 + 30 · 2) / 40, added in double and rounded once.
            Assert.Equal(before.ReadAll(tensor.Name).Select(value => (float)(value + 1.625)), after.ReadAll(tensor.Name));
        }

        await CancelAsync(run, running);
    }

    [Fact]
    public async Task RunAsync_RunEndsWithAnUploadUnfinished_KeepsNothingOfIt()
    {
        var run = _coordinator.Create(rounds: 1).Id;
        var running = StartRunning(run, out var plan);
        var update = SiteUpdate.Of(plan, North, _coordinator.KeyOf(North), 0.5f);
        Assert.Equal(UploadOutcome.Incomplete, await _coordinator.SendAsync(update with { Bytes = update.Bytes[..2000] }));

        await CancelAsync(run, running);

        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_coordinator.Root, "data", "incoming"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task RunAsync_StrategyWithServerState_GoesOnWithItAfterARestart()
    {
        var run = _coordinator.Create(aggregation: StrategyCatalog.Find("fedadam")!.Create()).Id;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        var running = _coordinator.Runner.RunAsync(run, stop.Token);
        var plan = _coordinator.Book.Find(run)!.OpenRound!.Plan;
        foreach (var site in new[] { North, East }) await SendAsync(plan, site, 1f);
        await _coordinator.UntilAsync(run, state => state.OpenRound?.Plan.Round == 2);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        _coordinator.Reopen();
        running = StartRunning(run, out plan);
        foreach (var site in new[] { North, East }) await SendAsync(plan, site, 1f);
        var rounds = (await _coordinator.UntilAsync(run, state => state.Rounds[1].ClosedAt is not null)).Rounds;

        Assert.All(rounds[..2], round => Assert.Equal([StatePart.Momentum, StatePart.SecondMoment], round.ServerState.Keys));
        // m = .9 · .1 + .1 in round 2: it began with what round 1 left.
        using var momentum = SafetensorsFile.Open(_coordinator.Blobs.PathOf(rounds[1].ServerState[StatePart.Momentum].Sha256));
        Assert.Equal(0.19, momentum.ReadAll(momentum.Tensors[0].Name)[0], 1e-6);
        await CancelAsync(run, running);
    }

    [Fact]
    public async Task RunAsync_TrustedRootDidNotAnswer_FailsAndSaysSo()
    {
        var run = _coordinator.Create(quorum: 1, rounds: 1, aggregation: StrategyCatalog.Find("fltrust")!.Create(root: North)).Id;
        var running = StartRunning(run, out var plan);
        await SendAsync(plan, East);

        await PassAsync(TimeSpan.FromMinutes(1), running);

        var end = _coordinator.Book.Find(run)!.End!;
        Assert.Equal(RunOutcome.Failed, end.Outcome);
        Assert.Equal("Round 1 could not be merged: fltrust needs at least 2 updates; there are 1.", end.Reason);
    }

    [Fact]
    public async Task RunAsync_DeadlineWithQuorum_ClosesWithoutTheSilentSite()
    {
        var run = _coordinator.Create(quorum: 1).Id;
        var running = StartRunning(run, out var plan);
        await SendAsync(plan, North);
        _coordinator.Time.Advance(TimeSpan.FromSeconds(59));
        Assert.Null(_coordinator.Book.Find(run)!.Rounds[0].ClosedAt);

        var closing = _coordinator.UntilAsync(run, state => state.Rounds[0].ClosedAt is not null);
        await PassAsync(TimeSpan.FromSeconds(1), closing);

        var closed = (await closing).Rounds[0];
        Assert.Equal([North], closed.Accepted.Keys);
        Assert.NotNull(closed.Model);
        await CancelAsync(run, running);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task RunAsync_DateSetByAnHourWhileTheRoundIsOpen_ClosesItNeitherEarlierNorLater(int hours)
    {
        var run = _coordinator.Create(quorum: 1).Id;
        var running = StartRunning(run, out var plan);
        _coordinator.Time.Advance(TimeSpan.FromSeconds(59));

        _coordinator.Clock.Jump = TimeSpan.FromHours(hours);

        // The answer has the round judged anew, under the new date.
        await SendAsync(plan, North);
        Assert.Null(_coordinator.Book.Find(run)!.Rounds[0].ClosedAt);
        var closing = _coordinator.UntilAsync(run, state => state.Rounds[0].ClosedAt is not null);
        _coordinator.Time.Advance(TimeSpan.FromSeconds(1));
        var closed = (await closing).Rounds[0];
        Assert.Equal([North], closed.Accepted.Keys);
        // Only what is written down follows the date.
        Assert.Equal(_coordinator.Clock.GetUtcNow(), closed.ClosedAt);
        await CancelAsync(run, running);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void HeldUp_DateSetByAnHour_IsTheTimeThatPassed(int hours)
    {
        var (first, second) = (_coordinator.CreateAndOpen().Run, _coordinator.CreateAndOpen().Run);
        _coordinator.Turns.Enter(North, new Attendance("0.1.0", [], TrainerIsolated: false));
        Assert.Equal(first, Assert.Single(_coordinator.Turns.Look(North).InWork).Run);
        _coordinator.Time.Advance(TimeSpan.FromSeconds(30));

        _coordinator.Clock.Jump = TimeSpan.FromHours(hours);

        Assert.Equal(TimeSpan.FromSeconds(30), _coordinator.Turns.HeldUp(_coordinator.Book.Find(second)!)[North]);
        Assert.Equal(TimeSpan.Zero, _coordinator.Turns.HeldUp(_coordinator.Book.Find(first)!)[North]);
    }

    /// <summary>Two connections of a site that begin together, as after a freeze: the older one comes here last.</summary>
    [Fact]
    public void Enter_ConnectionThatWasTakenOverFrom_DoesNotPushItsSuccessorOut()
    {
        _coordinator.CreateAndOpen();
        using var former = new Attendance("0.1.0", [], TrainerIsolated: false);
        using var successor = new Attendance("0.1.0", [], TrainerIsolated: false);
        former.End();
        _coordinator.Turns.Enter(North, successor);

        _coordinator.Turns.Enter(North, former);
        _coordinator.Turns.Leave(North, former);

        Assert.Single(_coordinator.Turns.Look(North).InWork);
    }

    [Fact]
    public async Task RunAsync_DeadlineWithoutQuorum_FailsAndNamesTheSilentSite()
    {
        var run = _coordinator.Create(quorum: 2).Id;
        var running = StartRunning(run, out var plan);
        await SendAsync(plan, North);

        await PassAsync(TimeSpan.FromMinutes(1), running);

        var end = _coordinator.Book.Find(run)!.End!;
        Assert.Equal(RunOutcome.Failed, end.Outcome);
        Assert.Equal("Round 1 had 1 of the 2 updates it needs (east: no answer by the deadline).", end.Reason);
    }

    [Fact]
    public async Task RunAsync_DroppedSiteBreaksTheQuorum_FailsBeforeTheDeadlineAndSaysWhy()
    {
        var run = _coordinator.Create(quorum: 2).Id;
        var running = StartRunning(run, out _);

        _coordinator.Book.Step(run, new RunInput.Declined(East, 1, DropReason.LabelNotFound), default);
        await _coordinator.UntilAsync(run, state => state.End is not null);
        await running;

        Assert.Contains("east: LabelNotFound", _coordinator.Book.Find(run)!.End!.Reason);
    }

    [Fact]
    public async Task RunAsync_CutOffInTheMiddle_GoesOnInTheSameRoundAfterARestart()
    {
        var run = _coordinator.Create().Id;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        var running = _coordinator.Runner.RunAsync(run, stop.Token);
        var plan = _coordinator.Book.Find(run)!.OpenRound!.Plan;
        await SendAsync(plan, North);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        _coordinator.Reopen();
        running = StartRunning(run, out var resumed);
        await SendAsync(resumed, East);

        Assert.Equal(plan.ToBytes(), resumed.ToBytes());
        var closed = (await _coordinator.UntilAsync(run, state => state.Rounds[0].ClosedAt is not null)).Rounds[0];
        Assert.Equal([East, North], closed.Accepted.Keys);
        Assert.Single(_coordinator.Journal.ReadAll(), entry => entry.Event is RunEvent.RoundOpened { Round: 1 });
        await CancelAsync(run, running);
    }

    [Fact]
    public async Task RunAsync_RunIsCancelled_EndsWithoutClosingTheRound()
    {
        var run = _coordinator.Create().Id;
        var running = StartRunning(run, out _);

        await CancelAsync(run, running);

        var ended = _coordinator.Book.Find(run)!;
        Assert.Equal(RunOutcome.Cancelled, ended.End!.Outcome);
        Assert.Null(ended.Rounds[0].ClosedAt);
    }

    /// <summary>Whoever cancels may come before the runner looks again.</summary>
    [Fact]
    public async Task RunAsync_RunIsCancelledTheMomentItsRoundOpens_EndsAtOnce()
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var run = _coordinator.Create().Id;
            var running = Task.Run(() => _coordinator.Runner.RunAsync(run, CoordinatorOnDisk.Token), CoordinatorOnDisk.Token);
            SpinWait.SpinUntil(() => _coordinator.Book.Find(run)!.OpenRound is not null);

            await CancelAsync(run, running);
        }
    }

    [Fact]
    public async Task RunAsync_PausedRun_WaitsBeyondItsDeadlineAndGoesOnWhenResumed()
    {
        var run = _coordinator.Create(quorum: 1, rounds: 1).Id;
        var running = StartRunning(run, out var plan);
        await SendAsync(plan, North);
        _coordinator.Catalog.Pause(run, "ada");
        // The runner stops its clock when it sees the pause, which real time brings and the test's does not.
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CoordinatorOnDisk.Token);
        _coordinator.Time.Advance(TimeSpan.FromHours(1));
        Assert.Null(_coordinator.Book.Find(run)!.Rounds[0].ClosedAt);

        _coordinator.Catalog.Resume(run, "ada");
        Assert.Equal(UploadOutcome.Accepted, await SendAsync(plan, East));

        var round = (await _coordinator.UntilAsync(run, state => state.Rounds[0].ClosedAt is not null)).Rounds[0];
        Assert.Equal([East, North], round.Accepted.Keys);
        await CancelAsync(run, running);
    }

    /// <summary>Room on a disk comes back, a bad sector does not: the run must not wait for it for ever.</summary>
    [Fact]
    public async Task RunAsync_DiskThatFails_IsTriedForTenMinutesAndThenEndsTheRun()
    {
        var run = _coordinator.Create(quorum: 2, rounds: 1).Id;
        _coordinator.Ledger.Dispose();
        using var ledger = new CoordinatorLedger(Options.Create(_coordinator.Settings), new FailingDisk());
        using var runner = new RoundRunner(
            _coordinator.Book, _coordinator.Blobs, _coordinator.Blind, ledger, _coordinator.Sites, _coordinator.Turns, _coordinator.Charters, _coordinator.Telemetry,
            Failpoints.None, _coordinator.Clock, NullLogger<RoundRunner>.Instance);
        var started = _coordinator.Time.GetUtcNow();
        var running = runner.RunAsync(run, CoordinatorOnDisk.Token);

        while (_coordinator.Book.Find(run)!.End is null)
        {
            _coordinator.Time.Advance(TimeSpan.FromSeconds(5));
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, CoordinatorOnDisk.Token);
        }

        Assert.Equal(RunOutcome.Failed, _coordinator.Book.Find(run)!.End!.Outcome);
        Assert.Contains("disk fails", _coordinator.Book.Find(run)!.End!.Reason);
        Assert.True(_coordinator.Time.GetUtcNow() - started >= TimeSpan.FromMinutes(9.75));
        await running;
    }

    /// <summary>The ledger asks for the time when it is about to write; here that is where the disk fails, as with EIO.</summary>
    private sealed class FailingDisk : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => throw new IOException("Input/output error", 5);
    }

    /// <summary>A fault that nobody foresaw ends its run with a reason, and no other.</summary>
    [Fact]
    public async Task RunAsync_StoredUpdateIsNoLongerWhatItWas_FailsTheRunAndLivesOn()
    {
        var run = _coordinator.Create(quorum: 2, rounds: 1).Id;
        var running = StartRunning(run, out var plan);
        await SendAsync(plan, North);
        var stored = _coordinator.Book.Find(run)!.OpenRound!.Accepted[North].Weights!.Sha256;
        File.WriteAllBytes(_coordinator.Blobs.PathOf(stored), new byte[100]);
        await SendAsync(plan, East, 2f);

        await PassAsync(TimeSpan.Zero, running);

        Assert.Equal(RunOutcome.Failed, _coordinator.Book.Find(run)!.End!.Outcome);
        Assert.Contains("could not go on with it", _coordinator.Book.Find(run)!.End!.Reason);
    }

    /// <summary>As the journal has it after merges that each ended the process: only this run is given up.</summary>
    [Fact]
    public async Task RunAsync_MergeThatEndedEveryProcessBefore_IsGivenUpAndTheOthersGoOn()
    {
        var (poison, other) = (_coordinator.Create(rounds: 1).Id, _coordinator.Create(rounds: 1).Id);
        foreach (var run in new[] { poison, other })
        {
            _coordinator.Book.Step(run, new RunInput.Continued(), _coordinator.Time.GetUtcNow());
            var plan = _coordinator.Book.Find(run)!.OpenRound!.Plan;
            foreach (var site in new[] { North, East }) await SendAsync(plan, site);
        }

        for (var start = 1; start <= RunProtocol.MaximumMergeAttempts; start++)
        {
            _coordinator.Book.Step(poison, new RunInput.MergeTurn(1, WasPutOff: false), _coordinator.Time.GetUtcNow());
            _coordinator.Reopen();
        }

        await _coordinator.Runner.RunAsync(poison, CoordinatorOnDisk.Token);
        var running = _coordinator.Runner.RunAsync(other, CoordinatorOnDisk.Token);

        Assert.Contains("its merge was begun 5 times", _coordinator.Book.Find(poison)!.End!.Reason);
        await _coordinator.UntilAsync(other, state => state.Rounds[0].ClosedAt is not null);
        await CancelAsync(other, running);
    }

    /// <summary>The first round is open and its deadline set when this returns: the runner does both before it first waits.</summary>
    private Task StartRunning(RunId run, out RoundPlan plan)
    {
        var running = _coordinator.Runner.RunAsync(run, CoordinatorOnDisk.Token);
        plan = _coordinator.Book.Find(run)!.OpenRound!.Plan;
        return running;
    }

    /// <summary>Lets time pass. A timer that the runner sets a moment later counts from then, so time goes on until what was waited for is there.</summary>
    private async Task PassAsync(TimeSpan first, Task awaited)
    {
        _coordinator.Time.Advance(first);
        while (await Task.WhenAny(awaited, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CoordinatorOnDisk.Token)) != awaited)
        {
            _coordinator.Time.Advance(TimeSpan.FromMinutes(1));
        }

        await awaited;
    }

    private Task<UploadOutcome> SendAsync(RoundPlan plan, SiteId site, float value = 0.5f, int cases = 10) =>
        _coordinator.SendAsync(SiteUpdate.Of(plan, site, _coordinator.KeyOf(site), value, cases));

    private async Task CancelAsync(RunId run, Task running)
    {
        _coordinator.Catalog.Cancel(run, "ada");
        await running.WaitAsync(TimeSpan.FromSeconds(15), TimeProvider.System, CoordinatorOnDisk.Token);
    }
}
