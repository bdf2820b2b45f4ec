using System.Collections.Immutable;
using System.Text;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>One site's training in one round, by the plan's local algorithm.</summary>
/// <param name="plan">The round.</param>
/// <param name="cohort">The site's cases.</param>
/// <param name="files">Where everything lies.</param>
/// <param name="state">What the site keeps.</param>
/// <param name="network">The global model with the site's own tensors in it.</param>
/// <param name="device">Where the network lies.</param>
/// <param name="alive">Called as scoring goes on.</param>
/// <param name="ownStepped">Called after each step on the site's own model: none of the federation's, whose steps are counted.</param>
internal sealed class SiteTraining(
    RoundPlan plan,
    Cohort cohort,
    RoundFiles files,
    SiteState? state,
    UNet network,
    Device device,
    Action? alive,
    Action<TrainingStep>? ownStepped)
{
    private const string GlobalCheckpoint = "checkpoint", PersonalCheckpoint = "checkpoint-personal", PersonalPart = "personal", OptimizerPart = "optimizer";

    private readonly TrainingRecipe _recipe = plan.Recipe;

    /// <summary>Trains the site's copy of the model, writes its change, and whatever else the algorithm asks for.</summary>
    public RoundOutcome Train(ImmutableArray<LabelScore> scores, Action<TrainingStep>? stepped, CancellationToken cancellationToken)
    {
        var weights = NamedWeights.Trained(network, _recipe.Tensors);
        using var control = _recipe.Algorithm is LocalAlgorithm.Scaffold ? OwnControl.Open(network, _recipe.Tensors, state!, files.Control) : null;
        using var proximal = _recipe.Algorithm is LocalAlgorithm.FedProx { Mu: > 0 and var mu } ? Proximal(mu, weights, weights) : null;
        using var optimizer = WeightOptimizer.Create(_recipe, weights);
        if (_recipe.OptimizerState == OptimizerState.Keep && state!.FindEarlier(OptimizerPart) is { } kept) optimizer.Recall(TensorFile.Read(kept, optimizer.History));

        var schedule = TrainingSchedule.Of(plan, cohort.Training.Length);
        var stretch = new Stretch(network, weights, optimizer, schedule) { Term = control?.Term ?? (IGradientTerm?)proximal, Checkpoint = Checkpoint(GlobalCheckpoint) };
        var mechanism = _recipe.Privacy is { } asked ? PrivateMechanism.Of(plan, asked, new PatientSampler(cohort.Training, 0).Patients, schedule.Steps) : null;
        var outcome = mechanism is null
            ? Trainer.Train(stretch, cohort.Training, device, stepped, cancellationToken)
            : PrivateTrainer.Train(stretch, cohort.Training, _recipe.Privacy!, mechanism, device, stepped, cancellationToken);
        if (outcome is TrainingOutcome.Trained && _recipe.Algorithm is LocalAlgorithm.Ditto ditto) TrainPersonal(ditto.Lambda, cancellationToken);
        return outcome switch
        {
            TrainingOutcome.Trained trained => Finish(trained, control, optimizer, scores) with
            {
                MeanLoss = mechanism is null ? trained.MeanLoss : null,
                Privacy = mechanism?.Spend(trained.Steps, _recipe.Privacy!.Delta),
                Similarity = ImageLikeness.Measure(files.Update, cohort.Training, schedule),
            },
            TrainingOutcome.NotFinite unusable => new RoundOutcome.NotFinite(unusable.Step),
            _ => throw new InvalidOperationException($"{outcome} is not handled."),
        };
    }

    /// <summary>Closes the run: makes the site's own model what it will stay, and scores it.</summary>
    public RoundOutcome Close(ImmutableArray<LabelScore> scores, CancellationToken cancellationToken)
    {
        var done = new RoundOutcome.Done(Steps: 0, MeanLoss: null, Time: null, scores);
        if (!_recipe.MakesPersonalModel) return done;

        if (_recipe.Algorithm is LocalAlgorithm.Ditto && state!.FindEarlier(PersonalPart) is { } path)
        {
            TensorFile.Read(path, All(network));
        }
        else if (_recipe.FineTuneSteps > 0)
        {
            // The global model stands whatever becomes of a site's own.
            if (FineTune(cancellationToken) is not TrainingOutcome.Trained) return done;
        }

        if (files.PersonalModel is { } personal) ModelWeights.Write(personal, plan.Manifest(), network, ModelMetadata.Of(plan));
        var own = Evaluation.Score(network, cohort.HeldBack, plan.Labels, plan.Preprocessing, device, cancellationToken, alive);
        // Not before: a trainer that dies in the scoring need not tune again.
        state?.Complete(PersonalCheckpoint);
        return done with { PersonalScores = own };
    }

    private TrainingOutcome FineTune(CancellationToken cancellationToken)
    {
        var schedule = TrainingSchedule.FineTuning(plan);
        var weights = NamedWeights.Trained(network, schedule.Recipe.Tensors);
        using var optimizer = WeightOptimizer.Create(schedule.Recipe, weights);
        var stretch = new Stretch(network, weights, optimizer, schedule) { Checkpoint = Checkpoint(PersonalCheckpoint) };
        return Trainer.Train(stretch, cohort.Training, device, ownStepped, cancellationToken);
    }

    private RoundOutcome.Done Finish(TrainingOutcome.Trained trained, OwnControl? control, WeightOptimizer optimizer, ImmutableArray<LabelScore> scores)
    {
        var change = control?.Advance(trained.Steps);
        ModelWeights.WriteUpdate(files.Update, plan.UpdateManifest(), network, files.Model, change);
        foreach (var tensor in change ?? []) tensor.Dispose();
        // Before likeness is measured: what leaves later is looked at then, too.
        if (files.Residual is { } residual) Residual.Add(files.Update, residual, plan.UpdateManifest().All);

        KeptTensors.Save(network, _recipe.Tensors, state);
        if (_recipe.OptimizerState == OptimizerState.Keep) TensorFile.Write(state!.PathOf(OptimizerPart), optimizer.History, optimizer.Facts);
        state?.Complete(GlobalCheckpoint, PersonalCheckpoint);
        return new RoundOutcome.Done(trained.Steps, trained.MeanLoss, trained.Time, scores);
    }

    /// <summary>
    /// Ditto's second solve: as many steps on the personal model, drawn to the model the round started from. Where it becomes NaN the one of before stays, and the
    /// federation's update is as good as ever.
    /// </summary>
    private void TrainPersonal(double lambda, CancellationToken cancellationToken)
    {
        using var personal = ModelWeights.Open(files.Model, plan.Architecture, device);
        var weights = NamedWeights.Trained(personal, _recipe.Tensors);
        using var global = ModelWeights.Open(files.Model, plan.Architecture, device);
        var anchors = NamedWeights.Of(global).ToDictionary(entry => entry.Name);
        using var proximal = lambda > 0 ? Proximal(lambda, weights, [.. weights.Select(entry => anchors[entry.Name])]) : null;
        using var optimizer = WeightOptimizer.Create(_recipe, weights);
        if (state!.FindEarlier(PersonalPart) is { } path) TensorFile.Read(path, All(personal));

        var schedule = TrainingSchedule.Of(plan, cohort.Training.Length) with { Purpose = PersonalPart };
        var stretch = new Stretch(personal, weights, optimizer, schedule) { Term = proximal, Checkpoint = Checkpoint(PersonalCheckpoint) };
        var outcome = Trainer.Train(stretch, cohort.Training, device, ownStepped, cancellationToken);
        if (outcome is TrainingOutcome.Trained) TensorFile.Write(state.PathOf(PersonalPart), All(personal));
    }

    /// <summary>Draws averaged weights to anchors as they stand now; what a site keeps to itself is drawn to nothing.</summary>
    private ProximalTerm Proximal(double strength, IReadOnlyList<NamedWeights> weights, IReadOnlyList<NamedWeights> anchors) => new(
        strength,
        [.. weights.Zip(anchors).Where(pair => _recipe.Tensors.Of(pair.First.Name) == TensorPolicy.Average).Select(pair => (pair.First, pair.Second.Copy()))]);

    /// <summary>
    /// Of the plan and of the patients trained on: with others, one that withdrew meanwhile, the round begins anew. Steps of another sampling rate would be charged as this
    /// one's, and the patient who left would stay in the weights.
    /// </summary>
    private TrainingCheckpoint? Checkpoint(string part)
    {
        if (state is null) return null;
        var patients = Sha256Digest.Of(Encoding.UTF8.GetBytes(string.Join('\n', cohort.Training.Select(entry => entry.PatientKey))));
        return new TrainingCheckpoint(state.PathOf(part), files.CheckpointEverySteps, $"{Sha256Digest.Of(plan.ToBytes())} {patients} {part}");
    }

    private static List<(string, Tensor)> All(nn.Module module) => [.. NamedWeights.Of(module).Select(weights => (weights.Name, (Tensor)weights.Values))];
}
