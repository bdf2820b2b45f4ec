using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;

namespace FedSeg.Coordinator.Tests.Rounds;

/// <summary>Invariant I4: a model is what its stored updates make, bit for bit, and what is no longer so is named.</summary>
public sealed class ModelRecomputationTests : IDisposable
{
    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Theory]
    [InlineData("fedavg")]
    [InlineData("fedavgm")]
    [InlineData("fedyogi")]
    [InlineData("qfedavg")]
    [InlineData("normbound")]
    [InlineData("krum")]
    [InlineData("trimmedmean")]
    public async Task Run_FinishedRun_ComesOutTheSameAfterARestart(string strategy)
    {
        var run = await FinishAsync(StrategyCatalog.Find(strategy)!.Create());

        _coordinator.Reopen();
        var models = Recompute(run);

        Assert.Equal([0, 1, 2], models.Select(model => model.Round));
        Assert.All(models, model => Assert.True(model.Matches, model.Problem));
        Assert.Equal(_coordinator.Book.Find(run)!.Model.Sha256, models[^1].Recomputed);
    }

    [Fact]
    public async Task Run_Scaffold_KeepsTheControlVariateAndHandsItToTheNextRound()
    {
        var run = await FinishAsync(StrategyCatalog.Find("fedavg")!.Create(), recipe => recipe with { Algorithm = new LocalAlgorithm.Scaffold() });

        var rounds = _coordinator.Book.Find(run)!.Rounds;
        Assert.Null(rounds[0].Plan.Control);
        Assert.Equal(rounds[0].ServerState[StatePart.Control], rounds[1].Plan.Control);
        Assert.Null(rounds[2].Plan.Control); // nothing is trained any more
        using var control = SafetensorsFile.Open(_coordinator.Blobs.PathOf(rounds[1].ServerState[StatePart.Control].Sha256));
        // (0.3 - 0.1) / 2 + (0.6 - 0.2) / 2, each site counting once
        Assert.All(control.ReadAll("head.bias"), value => Assert.Equal(0.3f, value, 1e-6f));
        Assert.All(Recompute(run), model => Assert.True(model.Matches, model.Problem));
    }

    [Fact]
    public async Task Run_TensorsKeptLocal_StayAsTheyWereInTheGlobalModel()
    {
        var run = await FinishAsync(
            StrategyCatalog.Find("fedavg")!.Create(), recipe => recipe with { Tensors = new TensorRules { KeepLocal = [TensorGroup.Normalisation] } });

        var state = _coordinator.Book.Find(run)!;
        using var before = SafetensorsFile.Open(_coordinator.Blobs.PathOf(state.Rounds[0].Plan.BaseModel));
        using var after = SafetensorsFile.Open(_coordinator.Blobs.PathOf(state.Model.Sha256));
        Assert.Equal(before.ReadAll("encoder.0.0.norm.weight"), after.ReadAll("encoder.0.0.norm.weight"));
        Assert.NotEqual(before.ReadAll("encoder.0.0.conv.weight"), after.ReadAll("encoder.0.0.conv.weight"));
        Assert.All(Recompute(run), model => Assert.True(model.Matches, model.Problem));
    }

    [Fact]
    public async Task Run_UpdateChangedOnDisk_NamesTheSite()
    {
        var run = await FinishAsync(StrategyCatalog.Default(2));
        var path = PathOfUpdate(run, CoordinatorOnDisk.East);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);

        var models = Recompute(run);

        Assert.Equal([true, false, true], models.Select(model => model.Matches));
        Assert.Contains("The update of site 'east'", models[1].Problem);
        Assert.Contains("was changed", models[1].Problem);
    }

    [Fact]
    public async Task Run_UpdateNoLongerStored_SaysSo()
    {
        var run = await FinishAsync(StrategyCatalog.Default(2));
        File.Delete(PathOfUpdate(run, CoordinatorOnDisk.North));

        Assert.Contains("no longer stored", Recompute(run)[1].Problem);
    }

    [Fact]
    public async Task Run_OtherModelInTheJournal_IsDifferent()
    {
        var run = await FinishAsync(StrategyCatalog.Default(2));
        var state = _coordinator.Book.Find(run)!;
        var first = state.Rounds[0];
        var forged = state with { Rounds = state.Rounds.SetItem(0, first with { Model = first.Model! with { Sha256 = Sha256Digest.Of("other"u8) } }) };

        var models = ModelRecomputation.Run(_coordinator.Blobs, forged, WorkFolder(), CoordinatorOnDisk.Token).ToList();

        Assert.Equal([true, false, true], models.Select(model => model.Matches));
    }

    [Fact]
    public async Task RecomputeProgram_RunOrModel_AnswersWithItsExitCode()
    {
        var run = await FinishAsync(StrategyCatalog.Default(2));
        var model = _coordinator.Book.Find(run)!.Model.Sha256.ToString();
        var data = _coordinator.Settings.DataDirectory;

        Assert.Equal(0, RecomputeProgram.Run(run.ToString(), ["--data", data], CoordinatorOnDisk.Token));
        Assert.Equal(0, RecomputeProgram.Run(model, ["--data", data], CoordinatorOnDisk.Token));
        Assert.Equal(2, RecomputeProgram.Run("run-other", ["--data", data], CoordinatorOnDisk.Token));
        File.Delete(PathOfUpdate(run, CoordinatorOnDisk.North));
        Assert.Equal(1, RecomputeProgram.Run(run.ToString(), ["--data", data], CoordinatorOnDisk.Token));
        Assert.Throws<InvalidDataException>(() => RecomputeProgram.Run("run-a", ["--data", _coordinator.Root], CoordinatorOnDisk.Token));
    }

    /// <summary>Two rounds of both sites, with updates that differ by site and round, and the closing evaluation.</summary>
    private async Task<RunId> FinishAsync(AggregationSpec aggregation, Func<TrainingRecipe, TrainingRecipe>? recipe = null)
    {
        var job = CoordinatorOnDisk.Job(aggregation: aggregation);
        var run = _coordinator.Create(recipe is null ? job : job with { Recipe = recipe(job.Recipe) }).Id;
        var running = _coordinator.Runner.RunAsync(run, CoordinatorOnDisk.Token);
        for (var number = 1; number <= 3; number++)
        {
            var plan = (await _coordinator.UntilAsync(run, state => state.OpenRound?.Plan.Round == number)).OpenRound!.Plan;
            await SendAsync(plan, CoordinatorOnDisk.North, 0.3f * number, 11);
            await SendAsync(plan, CoordinatorOnDisk.East, -0.1f * number, 7);
        }

        await running;
        Assert.Equal(RunOutcome.Completed, _coordinator.Book.Find(run)!.End!.Outcome);
        return run;
    }

    private async Task SendAsync(RoundPlan plan, SiteId site, float value, int cases) =>
        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(SiteUpdate.Of(plan, site, _coordinator.KeyOf(site), value, cases)));

    private List<RecomputedModel> Recompute(RunId run) =>
        [.. ModelRecomputation.Run(_coordinator.Blobs, _coordinator.Book.Find(run)!, WorkFolder(), CoordinatorOnDisk.Token)];

    private string WorkFolder() => Directory.CreateDirectory(Path.Combine(_coordinator.Root, "work")).FullName;

    private string PathOfUpdate(RunId run, SiteId site) =>
        _coordinator.Blobs.PathOf(_coordinator.Book.Find(run)!.Rounds[0].Accepted[site].Weights!.Sha256);
}
