using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Tests.Models.Bucket;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.SecureAggregation.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Tests.Rounds;

public sealed class UpdateRetentionTests : IDisposable
{
    private static readonly SiteId[] Sites = [CoordinatorOnDisk.North, CoordinatorOnDisk.East];
    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task DropWhatIsOld_FinishedRun_KeepsTheLastRoundsUpdatesEveryModelAndEveryHash()
    {
        var run = await FinishAsync(rounds: 4, (round, site) => round + (site == CoordinatorOnDisk.North ? 0.25f : 0.5f));
        var before = Updates(run).ToList();
        // The closing evaluation is the fifth round, so three of them are two of training.
        Retention(keep: 3).DropWhatIsOld();

        Assert.Equal([false, false, true, true], Updates(run).Select(update => _coordinator.Blobs.Contains(update)).Chunk(2).Select(pair => pair.All(there => there)));
        Assert.Equal(before, Updates(run));
        Assert.All(_coordinator.Book.Find(run)!.Rounds, round => Assert.True(_coordinator.Blobs.Contains(round.Plan.BaseModel)));
    }

    /// <summary>As on a fresh disk beside a bucket: there is not even the folder of a blob that is to go.</summary>
    [Fact]
    public async Task DropWhatIsOld_BlobsAreGoneAlready_GoesOn()
    {
        var run = await FinishAsync(rounds: 4, (round, site) => round + (site == CoordinatorOnDisk.North ? 0.25f : 0.5f));
        var dropped = Updates(run).First();
        Directory.Delete(Path.GetDirectoryName(_coordinator.Blobs.PathOf(dropped))!, recursive: true);

        Retention(keep: 3).DropWhatIsOld();

        Assert.Equal([false, false, true, true], Updates(run).Chunk(2).Select(pair => pair.All(update => _coordinator.Blobs.Contains(update))));
    }

    /// <summary>A store that won't let one blob go: its run waits, and no other with it.</summary>
    [Fact]
    public async Task DropWhatIsOld_BlobThatCannotBeRemoved_KeepsNoOtherRunWaitingAndGoesLater()
    {
        var stuck = await FinishAsync(rounds: 4, (round, _) => round);
        var other = await FinishAsync(rounds: 4, (round, _) => 10 + round);
        var held = Updates(stuck).First().ToString();
        await using var store = new AnsweringStore(request =>
            (held.Length > 0 && request.Contains(held, StringComparison.Ordinal) ? "500 Internal Server Error" : "204 No Content", ""));
        using var bucket = new BlobBucket(store.Options, TimeProvider.System);
        var retention = Retention(keep: 3, new BlobStore(_coordinator.Settings.DataDirectory, bucket));

        retention.DropWhatIsOld();
        Assert.Equal([true, true, true, true], AreKept(stuck));
        Assert.Equal([false, false, true, true], AreKept(other));

        held = "";
        retention.DropWhatIsOld();
        Assert.Equal([false, false, true, true], AreKept(stuck));
    }

    /// <summary>Disclosed shares unmask an update that somebody kept.</summary>
    [Fact]
    public async Task DropWhatIsOld_ExchangesOfBlindRounds_GoWithTheirUpdates()
    {
        var run = await FinishAsync(rounds: 4, (round, _) => round);
        var exchanges = _coordinator.Book.Find(run)!.Rounds.Select(round => _coordinator.Blobs.ExchangeOf(round.Plan)).ToList();
        foreach (var exchange in exchanges) exchange.Write(SumStage.Disclosures, CoordinatorOnDisk.North, [1]);

        Retention(keep: 3).DropWhatIsOld();

        Assert.Equal([false, false, true, true, true], exchanges.Select(exchange => exchange.Find(SumStage.Disclosures, CoordinatorOnDisk.North) is not null));
    }

    [Fact]
    public async Task DropWhatIsOld_OldUpdateWithTheBytesOfARecentOne_KeepsIt()
    {
        var run = await FinishAsync(rounds: 3, (_, _) => 1);
        Retention(keep: 1).DropWhatIsOld();
        Assert.All(Updates(run), update => Assert.False(_coordinator.Blobs.Contains(update)));

        run = await FinishAsync(rounds: 3, (_, _) => 2);
        Retention(keep: 2).DropWhatIsOld();
        Assert.All(Updates(run), update => Assert.True(_coordinator.Blobs.Contains(update)));
    }

    /// <summary>What a strategy remembers is the next round's input: a run whose old rounds are dropped on the way ends with the same model.</summary>
    [Fact]
    public async Task DropWhatIsOld_WhileAStrategyWithStateRuns_ChangesNoModel()
    {
        var strategy = StrategyCatalog.Find("fedadam")!.Create();
        var undisturbed = await FinishAsync(rounds: 4, (round, _) => round, strategy);
        var retention = Retention(keep: 1);
        var disturbed = await FinishAsync(rounds: 4, (round, _) => round, strategy, afterRound: retention.DropWhatIsOld);

        Assert.Equal(Values(undisturbed), Values(disturbed));
    }

    private UpdateRetention Retention(int keep, BlobStore? blobs = null) =>
        new(
            _coordinator.Book,
            blobs ?? _coordinator.Blobs,
            Options.Create(new CoordinatorOptions { KeepUpdateRounds = keep }),
            NullLogger<UpdateRetention>.Instance);

    private IEnumerable<Sha256Digest> Updates(RunId run) =>
        _coordinator.Book.Find(run)!.Rounds.Where(round => round.Plan.Task == RoundTask.Train).SelectMany(round => round.Accepted.Values.Select(update => update.Weights!.Sha256));

    /// <summary>Of each round of training, whether its updates are still here.</summary>
    private IEnumerable<bool> AreKept(RunId run) =>
        Updates(run).Chunk(2).Select(pair => pair.All(update => _coordinator.Blobs.Contains(update)));

    private float[] Values(RunId run)
    {
        using var file = Federation.Weights.SafetensorsFile.Open(_coordinator.Blobs.PathOf(_coordinator.Book.Find(run)!.Model.Sha256));
        return [.. file.Tensors.SelectMany(tensor => file.ReadAll(tensor.Name))];
    }

    private async Task<RunId> FinishAsync(int rounds, Func<int, SiteId, float> value, AggregationSpec? aggregation = null, Action? afterRound = null)
    {
        var run = _coordinator.Create(rounds: rounds, aggregation: aggregation).Id;
        var running = _coordinator.Runner.RunAsync(run, CoordinatorOnDisk.Token);
        for (var number = 1; number <= rounds + 1; number++)
        {
            var plan = (await _coordinator.UntilAsync(run, state => state.OpenRound?.Plan.Round == number)).OpenRound!.Plan;
            afterRound?.Invoke();
            foreach (var site in Sites) Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(SiteUpdate.Of(plan, site, _coordinator.KeyOf(site), value(number, site))));
        }

        await running;
        return run;
    }
}
