using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Aggregation;

/// <summary>
/// Merges a round's stored updates into new files. The coordinator calls it when a round closes, an auditor when it is doubted, an experiment without a coordinator:
/// everything it needs is in the run's state and the stored files, so all get the same bytes.
/// </summary>
public static class RoundAggregation
{
    /// <summary>Writes the next model and server state; durable when this returns.</summary>
    /// <param name="stored">Where the file of a digest lies: model, updates and state.</param>
    /// <param name="state">The run.</param>
    /// <param name="round">One of its training rounds, with every answer that counts.</param>
    /// <param name="pathOf">Where a result goes: <c>model</c> or the name of a <see cref="StatePart"/>; replaced if it exists.</param>
    /// <param name="blindMean">Of a blind round the mean of its updates, in the update's tensors; stays the caller's. Otherwise
    /// none.</param>
    /// <param name="cancellationToken">Stops between chunks and leaves unfinished files.</param>
    /// <exception cref="AggregationException">The updates can't be merged as the job asks.</exception>
    /// <exception cref="SafetensorsException">A stored file is not what the plan declares.</exception>
    public static MergedRound Run(
        Func<Sha256Digest, string> stored,
        RunState state,
        RoundState round,
        Func<string, string> pathOf,
        IWeightSource? blindMean,
        CancellationToken cancellationToken)
    {
        var plan = round.Plan;
        var manifest = plan.Manifest();
        var tensors = plan.UpdateManifest();
        var earlier = state.Rounds.Where(other => other.Plan.Round < plan.Round).ToList();
        using var opened = new OpenFiles(stored, manifest);
        var input = new AggregationRound
        {
            Number = plan.Round,
            Base = opened.Source(plan.BaseModel),
            Contributions = plan.Blind is null
                ? [.. round.Accepted.Values.Select(accepted => opened.Contribution(accepted, plan.Recipe, tensors))]
                : [MeanOf(round, blindMean, tensors, manifest)],
            State = earlier is [.., var last]
                ? last.ServerState.ToImmutableDictionary(part => part.Key, part => (IWeightSource)opened.Source(part.Value.Sha256))
                : ImmutableDictionary<StatePart, IWeightSource>.Empty,
            PastNorms = [.. earlier.TakeLast(NormBound.HistoryRounds).SelectMany(other => other.Norms.Values)],
        };

        var parts = tensors.Control.Tensors.IsEmpty ? state.Job.Aggregation.Step.StateParts : state.Job.Aggregation.Step.StateParts.Add(StatePart.Control);
        var statePaths = parts.ToImmutableSortedDictionary(part => part, part => pathOf(part.ToString()));
        var modelPath = pathOf("model");
        var model = opened.Create(modelPath, ModelMetadata.Of(plan).ToDictionary());
        var sinks = statePaths.ToImmutableDictionary(
            part => part.Key, part => (IWeightSink)opened.Create(part.Value, DescribeState(plan, part.Key)));
        var summary = Aggregator.Run(state.Job.Aggregation, input, new AggregationOutput(model, sinks), cancellationToken);
        if (sinks.TryGetValue(StatePart.Control, out var control))
        {
            var previous = plan.Control is { } known ? (IWeightSource)opened.Source(known.Sha256) : new ZeroWeights(manifest.ParameterCount);
            var changes = round.Accepted.Values.Select(accepted => new Contribution
            {
                Site = accepted.Report.Site,
                Update = opened.ControlChange(accepted.Weights!.Sha256, tensors, plan.Recipe.UpdateEncoding),
                Weight = 1,
            });
            ScaffoldControl.Update(previous, [.. changes], state.Job.Sites.Length, control, cancellationToken);
        }

        var digests = opened.Complete();
        return new MergedRound(
            new MergedFile(modelPath, digests[modelPath]),
            statePaths.ToImmutableSortedDictionary(part => part.Key, part => new MergedFile(part.Value, digests[part.Value])),
            summary.Norms);
    }

    /// <summary>A blind round has the mean of all updates and no single one.</summary>
    private static Contribution MeanOf(RoundState round, IWeightSource? mean, UpdateManifest tensors, TensorManifest model)
    {
        if (mean is null) throw new ArgumentException("A blind round's updates can only be merged by their mean.", nameof(mean));
        return new Contribution
        {
            Site = round.Accepted.Keys.First(),
            Update = tensors.IsWholeModel ? mean : new PartialWeights(mean, tensors.All, model, name => name),
            Weight = 1,
        };
    }

    private static Dictionary<string, string> DescribeState(RoundPlan plan, StatePart part) =>
        new() { ["serverState"] = part.ToString(), ["run"] = plan.Run.ToString(), ["round"] = plan.Round.ToString() };

    private sealed class OpenFiles(Func<Sha256Digest, string> stored, TensorManifest manifest) : IDisposable
    {
        private readonly List<StoredWeights> _sources = [];
        private readonly Dictionary<string, SafetensorsWriter> _writers = [];

        public StoredWeights Source(Sha256Digest digest) => Keep(StoredWeights.Open(stored(digest), manifest));

        /// <summary>A site's changes of the weights; what stays at the site is no change.</summary>
        public IWeightSource Update(Sha256Digest digest, UpdateManifest tensors, UpdateEncoding encoding) =>
            tensors.IsWholeModel ? OpenUpdate(digest, tensors, encoding) : new PartialWeights(OpenUpdate(digest, tensors, encoding), tensors.All, manifest, name => name);

        /// <summary>A site's changes of its control variate.</summary>
        public PartialWeights ControlChange(Sha256Digest digest, UpdateManifest tensors, UpdateEncoding encoding) =>
            new(OpenUpdate(digest, tensors, encoding), tensors.All, manifest, UpdateManifest.ControlName);

        private StoredWeights OpenUpdate(Sha256Digest digest, UpdateManifest tensors, UpdateEncoding encoding) =>
            Keep(StoredWeights.OpenUpdate(stored(digest), tensors.All, encoding));

        public Contribution Contribution(RunEvent.UpdateAccepted accepted, TrainingRecipe recipe, UpdateManifest tensors) => new()
        {
            Site = accepted.Report.Site,
            Update = Update(accepted.Weights!.Sha256, tensors, recipe.UpdateEncoding),
            Weight = accepted.Report.TrainingCases,
            Steps = recipe.StepLength(accepted.Report.Steps),
            Loss = accepted.Report.MeanLoss - SiteReport.LeastLoss, // q-FedAvg needs one from 0 up
        };

        public StoredWeightsSink Create(string path, IReadOnlyDictionary<string, string> metadata)
        {
            var writer = SafetensorsWriter.Create(path, manifest, metadata);
            _writers.Add(path, writer);
            return new StoredWeightsSink(writer);
        }

        /// <summary>Makes every file durable.</summary>
        /// <returns>Digests by path.</returns>
        public Dictionary<string, Sha256Digest> Complete() => _writers.ToDictionary(entry => entry.Key, entry => entry.Value.Complete());

        private StoredWeights Keep(StoredWeights source)
        {
            _sources.Add(source);
            return source;
        }

        public void Dispose()
        {
            _sources.ForEach(source => source.Dispose());
            foreach (var writer in _writers.Values) writer.Dispose();
        }
    }
}

/// <summary>A merged round's files and what was measured on the way.</summary>
/// <param name="Model">The next model.</param>
/// <param name="State">The server's state, where the strategy has any.</param>
/// <param name="Norms">Each update's L2 norm before it was bounded.</param>
public sealed record MergedRound(
    MergedFile Model, ImmutableSortedDictionary<StatePart, MergedFile> State, ImmutableSortedDictionary<SiteId, double> Norms);

/// <summary>A file that merging wrote.</summary>
public sealed record MergedFile(string Path, Sha256Digest Sha256);
