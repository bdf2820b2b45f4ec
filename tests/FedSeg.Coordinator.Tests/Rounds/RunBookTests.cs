using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Tests.Rounds;

public sealed class RunBookTests : IDisposable
{
    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task Runs_AfterReopening_AreWhatTheyWere()
    {
        var plan = _coordinator.CreateAndOpen();
        await _coordinator.SendAsync(SiteUpdate.Of(plan, CoordinatorOnDisk.North, _coordinator.KeyOf(CoordinatorOnDisk.North)));
        var events = Events();
        var before = _coordinator.Book.Find(plan.Run)!;

        _coordinator.Reopen();

        var after = _coordinator.Book.Find(plan.Run)!;
        Assert.Equal(events, Events());
        Assert.Equal(["Created", "RoundOpened", "UpdateAccepted"], _coordinator.Journal.ReadAll().Select(entry => entry.Event.GetType().Name));
        Assert.Equal(before.Job.ToString(), after.Job.ToString());
        Assert.Equal(before.Model, after.Model);
        Assert.Equal(before.OpenRound!.Plan.ToBytes(), after.OpenRound!.Plan.ToBytes());
        Assert.Equal(before.OpenRound.Accepted.Single().Value.ToJson(), after.OpenRound.Accepted.Single().Value.ToJson());
    }

    [Fact]
    public async Task Step_FiftyEqualUpdatesAtOnce_EntersOneAndAnswersAll()
    {
        var plan = _coordinator.CreateAndOpen();
        var stored = Stored(plan, CoordinatorOnDisk.North);

        var steps = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => _coordinator.Book.Step(plan.Run, stored, default))));

        Assert.Single(_coordinator.Journal.ReadAll(), entry => entry.Event is RunEvent.UpdateAccepted);
        Assert.All(steps, step => Assert.Equal(new RunEffect.Answer(UploadOutcome.Accepted), step.Effects[^1]));
    }

    [Fact]
    public void Step_JournalRefuses_ChangesNothing()
    {
        var run = _coordinator.Create().Id;
        _coordinator.Journal.Dispose();

        Assert.ThrowsAny<Exception>(() => _coordinator.Book.Step(run, new RunInput.Continued(), default));

        Assert.Empty(_coordinator.Book.Find(run)!.Rounds);
    }

    [Fact]
    public async Task WatchAsync_EveryChange_IsSeenAndTheStreamEndsWithTheRun()
    {
        var plan = _coordinator.CreateAndOpen();
        var seen = new List<RunState>();

        await foreach (var state in _coordinator.Book.WatchAsync(plan.Run, CoordinatorOnDisk.Token))
        {
            seen.Add(state);
            RunInput next = seen.Count switch
            {
                1 => Stored(plan, CoordinatorOnDisk.North),
                2 => new RunInput.Declined(CoordinatorOnDisk.East, 1, DropReason.OutOfMemory),
                _ => new RunInput.Cancelled("ada"),
            };
            _coordinator.Book.Step(plan.Run, next, default);
        }

        Assert.Equal([0, 1, 2], seen.Take(3).Select(state => state.Rounds[0].Accepted.Count + state.Rounds[0].Dropped.Count));
        Assert.Equal(RunOutcome.Cancelled, Assert.Single(seen, state => state.End is not null).End!.Outcome);
        Assert.Equal(4, seen.Count);
    }

    [Fact]
    public async Task WatchAsync_ChangeOfAnotherRun_SaysNothing()
    {
        var first = _coordinator.Create();
        await using var watch = _coordinator.Book.WatchAsync(first.Id, CoordinatorOnDisk.Token).GetAsyncEnumerator(CoordinatorOnDisk.Token);
        Assert.True(await watch.MoveNextAsync());
        var next = watch.MoveNextAsync().AsTask();

        _coordinator.Create();
        _coordinator.Catalog.Cancel(first.Id, "ada");

        Assert.True(await next);
        Assert.NotNull(watch.Current.End);
    }

    [Fact]
    public async Task WatchAsync_UnknownRun_EndsAtOnce()
    {
        await foreach (var state in _coordinator.Book.WatchAsync(RunId.Parse("run-unknown"), CoordinatorOnDisk.Token)) Assert.Fail(state.ToString());
    }

    private List<string> Events() => [.. _coordinator.Journal.ReadAll().Select(entry => entry.Run + entry.Event.ToJson())];

    private static RunInput.Stored Stored(RoundPlan plan, SiteId site) => new()
    {
        Report = SiteUpdate.Report(plan, site),
        Digest = Sha256Digest.Of("sealed"u8),
        Weights = new ModelRef(Sha256Digest.Of("weights"u8), 7),
        Signature = "",
    };
}
