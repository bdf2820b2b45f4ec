using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Server;

namespace FedSeg.Coordinator.Tests.Blind;

public sealed class BlindRoundsTests : IAsyncDisposable
{
    private readonly BlindCoordinator _coordinator = new();

    private static SiteId[] All => [.. BlindCoordinator.Sites];

    /// <summary>The threshold of five.</summary>
    private static SiteId[] Four => All[..4];

    private static SiteId Fifth => All[4];

    public ValueTask DisposeAsync() => _coordinator.DisposeAsync();

    /// <summary>
    /// I4 in blind mode: the model of a masked sum is the model of the plain updates, whatever order, restarts and drop-outs there were.
    /// </summary>
    [Fact]
    public async Task BlindRound_SiteGoneAfterSharingAndRestartsInEveryStage_MakesTheModelOfThePlainUpdatesBitForBit()
    {
        await _coordinator.AdvertiseAsync(All);
        await _coordinator.RestartAsync();
        await _coordinator.DealAsync(All[1..]);
        await _coordinator.RestartAsync();
        await _coordinator.DealAsync(All[0]);
        await _coordinator.SendMaskedAsync(All[..2]);
        await _coordinator.RestartAsync();
        await _coordinator.SendMaskedAsync(All[2..4]);
        await _coordinator.PassTimeUntilAsync(state => state.Rounds[0].Dropped.ContainsKey(Fifth));
        await _coordinator.ConfirmAsync(Four[1..]);
        await _coordinator.RestartAsync();
        await _coordinator.ConfirmAsync(Four[0]);
        await _coordinator.DiscloseAsync(Four[0]);
        await _coordinator.RestartAsync();
        await _coordinator.DiscloseAsync(Four[1..]);

        var round = (await _coordinator.Disk.UntilAsync(_coordinator.Run, state => state.Rounds[0].ClosedAt is not null)).Rounds[0];

        Assert.Equal(DropReason.LeftExchange, Assert.Single(round.Dropped).Value);
        Assert.Equal(InspectableModel(Four), Weights(round.Model!.Sha256));
        Assert.All(Recompute(), model => Assert.True(model.Matches, model.Problem));
    }

    [Fact]
    public async Task BlindRound_EverybodyThere_MakesTheModelOfThePlainUpdatesBitForBit()
    {
        await ToDisclosuresAsync(All);
        await _coordinator.DiscloseAsync(All);

        var round = (await _coordinator.Disk.UntilAsync(_coordinator.Run, state => state.Rounds[0].ClosedAt is not null)).Rounds[0];

        Assert.Equal(InspectableModel(All), Weights(round.Model!.Sha256));
    }

    [Fact]
    public async Task Recompute_WithoutTheDisclosedShares_SaysSo()
    {
        await ToDisclosuresAsync(All);
        await _coordinator.DiscloseAsync(All);
        await _coordinator.Disk.UntilAsync(_coordinator.Run, state => state.Rounds[0].ClosedAt is not null);
        foreach (var site in All[..2]) File.Delete(
            Path.Combine(_coordinator.Disk.Root, "data", "exchanges", _coordinator.Run.ToString(), "1", $"disclosures-{site}"));

        var models = Recompute();

        Assert.Equal([true, false], models.Select(model => model.Matches));
        Assert.Contains("can't be unmasked (Disclosures: TooFewSites)", models[1].Problem);
    }

    [Fact]
    public async Task Advertise_SiteThatDoesNotCome_IsDroppedAtTheRoundsDeadlineAndTheOthersGoOn()
    {
        await _coordinator.AdvertiseAsync(Four);

        var state = await _coordinator.PassTimeUntilAsync(state => state.Rounds[0].Dropped.ContainsKey(Fifth));

        Assert.Null(state.End);
        Assert.Equal(DropReason.LeftExchange, state.Rounds[0].Dropped[Fifth]);
        await _coordinator.DealAsync(Four);
        Assert.Equal(nameof(AbortReason.OutOfOrder), await LateKeysAsync());
    }

    [Fact]
    public async Task Advertise_LateSiteWhileTheDiskIsFull_IsDroppedOnceThereIsRoom()
    {
        await _coordinator.AdvertiseAsync(Four);
        _coordinator.Disk.Journal.IsFull = true;
        await _coordinator.PassTimeUntilAsync(_ => _coordinator.Disk.Journal.Refused.OfType<RunEvent.SiteDropped>().Any());
        _coordinator.Disk.Journal.IsFull = false;

        var state = await _coordinator.PassTimeUntilAsync(state => state.Rounds[0].Dropped.ContainsKey(Fifth));

        Assert.Null(state.End);
        Assert.False(_coordinator.Disk.Blind.ExecuteTask!.IsCompleted);
        await _coordinator.DealAsync(Four);
    }

    /// <summary>The last message the stage waits for: whoever waits must hear of it once it is stored, and the stage must end.</summary>
    [Fact]
    public async Task Accept_DiskIsFull_WhoeverWaitsGoesOnOnceThereIsRoom()
    {
        await _coordinator.AdvertiseAsync(Four);
        var waiting = _coordinator.HearAsync(SumStage.Keys, Four[0]);
        using (_coordinator.FillDisk("data", SumStage.Keys, Fifth))
        {
            await Assert.ThrowsAsync<IOException>(() => _coordinator.AdvertiseAsync(Fifth));
        }

        await _coordinator.AdvertiseAsync(Fifth);

        Assert.NotEmpty(await waiting);
        await _coordinator.DealAsync(All);
    }

    [Fact]
    public async Task Deal_OneMoreGoneThanSpared_EndsTheRunForItsQuorum()
    {
        await _coordinator.AdvertiseAsync(All);
        await _coordinator.DealAsync(All[..3]);

        var state = await _coordinator.PassTimeUntilAsync(state => state.End is not null);

        Assert.Equal(RunOutcome.Failed, state.End!.Outcome);
        Assert.Contains("site4: LeftExchange; site5: LeftExchange", state.End.Reason);
    }

    /// <summary>
    /// All masked updates are there and acknowledged, and yet nobody can take the masks off: the run says why and nothing is leaked.
    /// </summary>
    [Fact]
    public async Task Disclose_TooFew_EndsTheRunWithTheReason()
    {
        await ToDisclosuresAsync(All);
        await _coordinator.DiscloseAsync(All[..3]);

        var state = await _coordinator.PassTimeUntilAsync(state => state.End is not null);

        Assert.Equal("Round 1 could not be merged: the sum of the masked updates can't be unmasked (TooFewSites).", state.End!.Reason);
        Assert.Null(state.Rounds[0].Model);
    }

    [Fact]
    public async Task Upload_BeforeTheSharesAreDealt_IsNotAwaited()
    {
        await _coordinator.AdvertiseAsync(All);

        var outcome = await _coordinator.UploadAsync(Fifth, new byte[3 * _coordinator.Plan.Manifest().ParameterCount]);

        Assert.Equal(UploadOutcome.NotAwaited, outcome);
    }

    [Fact]
    public async Task Upload_OfAPlainFile_HasTheWrongLength()
    {
        var plan = await _coordinator.OpenedAsync();

        Assert.Equal(UploadOutcome.TooLarge, await _coordinator.UploadAsync(Fifth, SiteUpdate.Weights(plan.Manifest(), 0.5f)));
    }

    [Fact]
    public async Task Next_ForASiteThatDeclined_IsOver()
    {
        await _coordinator.AdvertiseAsync(All);
        _coordinator.Disk.Book.Step(
            _coordinator.Run, new RunInput.Declined(Fifth, 1, DropReason.ExchangeAborted), _coordinator.Disk.Time.GetUtcNow());
        await _coordinator.DealAsync(Four);

        var (message, over) = await _coordinator.Disk.Blind.NextAsync(
            Fifth, _coordinator.Run, 1, SumStage.Shares, TimeSpan.FromHours(10), CoordinatorOnDisk.Token);

        Assert.Null(message);
        Assert.True(over);
        Assert.True((await _coordinator.Disk.Blind.NextAsync(
            Fifth, _coordinator.Run, 2, SumStage.Keys, TimeSpan.Zero, CoordinatorOnDisk.Token)).Over);
    }

    [Fact]
    public async Task Accept_TheSameMessageAgain_IsAnsweredTheSame()
    {
        await _coordinator.AdvertiseAsync(All);
        var message = TestMessage(_coordinator.Clients[Fifth].AnswerRoster(await _coordinator.HearAsync(SumStage.Keys, Fifth)));

        Assert.Null(_coordinator.Disk.Blind.Accept(Fifth, _coordinator.Run, 1, SumStage.Shares, message));
        await _coordinator.RestartAsync();
        Assert.Null(_coordinator.Disk.Blind.Accept(Fifth, _coordinator.Run, 1, SumStage.Shares, message));
        message[^1] ^= 1;
        Assert.Equal(nameof(AbortReason.AskedTwice), _coordinator.Disk.Blind.Accept(Fifth, _coordinator.Run, 1, SumStage.Shares, message));
    }

    [Fact]
    public async Task Accept_OfARoundThatIsNotOpen_IsRefused()
    {
        await _coordinator.OpenedAsync();

        Assert.Equal(nameof(UploadOutcome.RoundNotOpen), _coordinator.Disk.Blind.Accept(Fifth, _coordinator.Run, 2, SumStage.Keys, [1]));
        Assert.Equal(nameof(AbortReason.MalformedMessage), _coordinator.Disk.Blind.Accept(Fifth, _coordinator.Run, 1, SumStage.Keys, [1]));
    }

    private async Task ToDisclosuresAsync(SiteId[] sites)
    {
        await _coordinator.AdvertiseAsync(sites);
        await _coordinator.DealAsync(sites);
        await _coordinator.SendMaskedAsync(sites);
        await _coordinator.ConfirmAsync(sites);
    }

    private async Task<string?> LateKeysAsync()
    {
        var plan = await _coordinator.OpenedAsync();
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        using var late = new FedSeg.SecureAggregation.Sites.SumClient(
            SumContext.Of(plan), Fifth, new SiteCredential(
                [], key), BlindCoordinator.KeyOf, 3, System.Security.Cryptography.RandomNumberGenerator.Create());
        return _coordinator.Say(SumStage.Keys, Fifth, late.Advertise());
    }

    /// <summary>
    /// What an inspectable round makes of the same updates on the same grid: their plain files, summed and divided by the same aggregator.
    /// </summary>
    private float[] InspectableModel(SiteId[] sites)
    {
        var before = Weights(_coordinator.Plan.BaseModel);
        var merged = new WeightsInMemory(before.Length);
        var mean = new double[before.Length];
        foreach (var site in sites)
        {
            for (var i = 0; i < mean.Length; i++) mean[i] += _coordinator.Plain[site][i];
        }

        for (var i = 0; i < mean.Length; i++) mean[i] *= BlindCoordinator.FactorOf(sites);
        var round = new AggregationRound
        {
            Number = 1,
            Base = new WeightsInMemory([.. before.Select(weight => (double)weight)]),
            Contributions = [new Contribution { Site = sites[0], Update = new WeightsInMemory(mean), Weight = 1 }],
        };
        Aggregator.Run(BlindCoordinator.Job.Aggregation, round, new AggregationOutput(
            merged, new Dictionary<StatePart, IWeightSink>()), CoordinatorOnDisk.Token);
        return [.. merged.Values.ToArray().Select(weight => (float)weight)];
    }

    private float[] Weights(Sha256Digest model)
    {
        using var file = SafetensorsFile.Open(_coordinator.Disk.Blobs.PathOf(model));
        return [.. file.Tensors.SelectMany(tensor => file.ReadAll(tensor.Name))];
    }

    private List<RecomputedModel> Recompute() => [.. ModelRecomputation.Run(
        _coordinator.Disk.Blobs, _coordinator.Disk.Book.Find(_coordinator.Run)!, Directory.CreateDirectory(
            Path.Combine(_coordinator.Disk.Root, "again")).FullName, CoordinatorOnDisk.Token)];

    private static byte[] TestMessage(StepOutcome outcome) => Assert.IsType<StepOutcome.Reply>(outcome).Message;
}
