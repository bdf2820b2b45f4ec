using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.Cli.Programs;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using static TorchSharp.torch;

namespace FedSeg.Cli.Experiments;

/// <summary>
/// A whole run in this process, without network, gate or ledger: the state a coordinator keeps, the work a trainer does and the merge, by the very code they use. What it
/// leaves out changes no weight: an update is encoded as the gate would.
/// </summary>
/// <param name="job">The run.</param>
/// <param name="cohorts">Each site's cases, in ordinal order.</param>
/// <param name="folder">For models, updates and what sites keep.</param>
/// <param name="device">Where to compute.</param>
/// <param name="time">Dates the run's events.</param>
internal sealed class InProcessFederation(JobSpec job, IReadOnlyDictionary<SiteId, Cohort> cohorts, string folder, Device device, TimeProvider time)
{
    private readonly RandomNumberGenerator _random = RandomNumberGenerator.Create();
    private readonly RunId _run = RunId.Parse("run-experiment");
    private readonly string _blobs = Directory.CreateDirectory(Path.Combine(folder, "blobs")).FullName;

    /// <summary>Trains all rounds and closes the run.</summary>
    /// <param name="closed">Called after each round.</param>
    /// <param name="cancellationToken">Looked at before each step.</param>
    /// <returns>The global models, and each site's own where the recipe makes one.</returns>
    public FederatedModels Run(Action<int> closed, CancellationToken cancellationToken)
    {
        var state = RunState.Apply(null, _run, new RunEvent.Created { At = Now, Job = job, SubmittedBy = "experiment", InitialModel = CreateInitial() });
        var updateBytes = 0L;
        var (started, trained) = (time.GetTimestamp(), new List<TimeSpan>());
        while (state.NextRound <= job.Rounds)
        {
            state = RunState.Apply(state, _run, new RunEvent.RoundOpened { At = Now, Round = state.NextRound, BaseModel = state.Model });
            var plan = state.OpenRound!.Plan;
            foreach (var (site, cohort) in cohorts)
            {
                var accepted = Train(plan, site, cohort, cancellationToken);
                updateBytes = accepted.Weights!.Bytes;
                state = RunState.Apply(state, _run, accepted);
            }

            state = RunState.Apply(state, _run, Merge(state, state.OpenRound!, cancellationToken));
            trained.Add(time.GetElapsedTime(started));
            closed(plan.Round);
        }

        var personal = job.Recipe.MakesPersonalModel ? ClosePersonal(state, cancellationToken) : [];
        return new FederatedModels([.. state.Rounds.Select(round => PathOf(round.Model!.Sha256))], trained, personal, updateBytes);
    }

    private DateTimeOffset Now => time.GetUtcNow();

    private RunEvent.UpdateAccepted Train(RoundPlan plan, SiteId site, Cohort cohort, CancellationToken cancellationToken)
    {
        var update = Path.Combine(folder, $"{site}-update");
        // Scored once, at the end, by the experiment itself.
        var done = Done(RoundWork.Run(plan, cohort.WithoutHeldBack(), Files(plan, site, update), device, stepped: null, cancellationToken), site);
        var weights = Adopt(Encoded(plan, site, update, cancellationToken));
        var state = StatePath(site);
        if (File.Exists(OwnControlFiles.UnsentPathOf(state, plan.Round))) File.Move(OwnControlFiles.UnsentPathOf(state, plan.Round), OwnControlFiles.PathOf(state, plan.Round));
        return new RunEvent.UpdateAccepted
        {
            At = Now,
            Report = new SiteReport
            {
                Run = plan.Run,
                Round = plan.Round,
                Task = plan.Task,
                Site = site,
                Plan = Sha256Digest.Of(plan.ToBytes()),
                BaseModel = plan.BaseModel,
                TrainingCases = cohort.Training.Length,
                HeldBackCases = 0,
                Steps = done.Steps,
                MeanLoss = done.MeanLoss,
                Scores = [],
            },
            Digest = weights.Sha256,
            Weights = weights,
            Signature = "",
        };
    }

    private string Encoded(RoundPlan plan, SiteId site, string update, CancellationToken cancellationToken)
    {
        if (plan.Recipe.UpdateEncoding == UpdateEncoding.F32) return update;
        var encoded = Path.Combine(folder, $"{site}-encoded");
        GateEncoding.Write(plan, update, encoded, ResidualPath(site), _random, cancellationToken);
        return encoded;
    }

    private RunEvent.RoundClosed Merge(RunState state, RoundState round, CancellationToken cancellationToken)
    {
        var merged = RoundAggregation.Run(PathOf, state, round, part => Path.Combine(folder, part), blindMean: null, cancellationToken);
        return new RunEvent.RoundClosed
        {
            At = Now,
            Round = round.Plan.Round,
            Model = Adopt(merged.Model.Path),
            ServerState = merged.State.ToImmutableSortedDictionary(part => part.Key, part => Adopt(part.Value.Path)),
            Norms = merged.Norms,
        };
    }

    private Dictionary<SiteId, string> ClosePersonal(RunState state, CancellationToken cancellationToken)
    {
        var plan = job.PlanRound(_run, job.Rounds + 1, state.Model.Sha256, state.Model.Bytes);
        foreach (var (site, cohort) in cohorts)
        {
            Done(RoundWork.Run(plan, cohort.WithoutHeldBack(), Files(plan, site, update: "none"), device, stepped: null, cancellationToken), site);
        }

        return cohorts.Keys.ToDictionary(site => site, PersonalPath);
    }

    private RoundFiles Files(RoundPlan plan, SiteId site, string update) => new()
    {
        Model = PathOf(plan.BaseModel),
        Update = update,
        Control = plan.Control is { } control ? PathOf(control.Sha256) : null,
        Residual = File.Exists(ResidualPath(site)) ? ResidualPath(site) : null,
        State = StatePath(site),
        PersonalModel = plan.Task == RoundTask.Evaluate ? PersonalPath(site) : null,
        CheckpointEverySteps = int.MaxValue,
    };

    private ModelRef CreateInitial()
    {
        var path = Path.Combine(folder, "initial");
        var metadata = new ModelMetadata { Architecture = job.Architecture, Labels = job.Labels, Preprocessing = job.Preprocessing, Run = _run, Round = 0 };
        ModelInitializer.Write(path, ArchitectureCatalog.Manifest(job.Architecture), job.Seed, metadata.ToDictionary());
        return Adopt(path);
    }

    private ModelRef Adopt(string path)
    {
        using var hasher = File.OpenRead(path);
        var digest = Sha256Digest.FromHash(SHA256.HashData(hasher));
        var bytes = hasher.Length;
        File.Move(path, PathOf(digest), overwrite: true);
        return new ModelRef(digest, bytes);
    }

    private string StatePath(SiteId site) => Path.Combine(folder, "state", site.ToString());

    private string ResidualPath(SiteId site) => Path.Combine(folder, $"{site}-residual");

    private string PersonalPath(SiteId site) => Path.Combine(folder, $"{site}-personal.safetensors");

    private string PathOf(Sha256Digest digest) => Path.Combine(_blobs, digest.ToString());

    private static RoundOutcome.Done Done(RoundOutcome outcome, SiteId site) => outcome as RoundOutcome.Done
        ?? throw new BadInputException($"The training of site '{site}' became NaN or infinite; lower the learning rate.");
}

/// <summary>What a run leaves.</summary>
/// <param name="Global">Files of the global models, one a round.</param>
/// <param name="Trained">How long training had taken by the end of each round.</param>
/// <param name="Personal">Files of the sites' own models, where there are any.</param>
/// <param name="UpdateBytes">Bytes of an update as it would leave a site; all are as long.</param>
internal sealed record FederatedModels(
    IReadOnlyList<string> Global, IReadOnlyList<TimeSpan> Trained, IReadOnlyDictionary<SiteId, string> Personal, long UpdateBytes);
