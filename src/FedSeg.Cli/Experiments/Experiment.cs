using FedSeg.Cli.Programs;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using static TorchSharp.torch;

namespace FedSeg.Cli.Experiments;

/// <summary>
/// Trains the same network in several ways on the same split by patient and scores each on the same held-back patients. Every way gets the same compute: pooled training
/// makes as many steps as all sites of a federation together, a site alone as many as in the federation.
/// </summary>
/// <param name="job">Network, data and recipe that the arms vary.</param>
/// <param name="cohorts">Each site's cases, split, in ordinal order.</param>
/// <param name="folder">For models.</param>
/// <param name="device">Where to compute.</param>
/// <param name="time">The clock.</param>
internal sealed class Experiment(JobSpec job, IReadOnlyDictionary<SiteId, Cohort> cohorts, string folder, Device device, TimeProvider time)
{
    private readonly Dictionary<string, FederatedModels> _federations = [];

    /// <summary>Runs an arm; of a training that was an earlier arm's only what is missing.</summary>
    /// <param name="arm">Which.</param>
    /// <param name="say">Told what is being done.</param>
    /// <param name="cancellationToken">Looked at before each step.</param>
    /// <returns>One row of the table; of local training one a site and one for all of them.</returns>
    public IReadOnlyList<ExperimentRow> Run(ExperimentArm arm, Action<string> say, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var own = Directory.CreateDirectory(Path.Combine(folder, arm.Training)).FullName;
        var armJob = arm.Change(job);
        switch (arm.Kind)
        {
            case ArmKind.Pooled:
                var all = Cohort.Pool([.. cohorts.Values]);
                var pooled = new List<string>();
                for (var member = 0UL; member < (ulong)arm.Members; member++)
                {
                    var model = Path.Combine(own, $"model-{member}");
                    say($"{arm.Name}: model {member + 1} of {arm.Members}");
                    if (!File.Exists(model)) Alone(armJob with { Seed = armJob.Seed + member }, all, cohorts.Count, model, cancellationToken);
                    pooled.Add(model);
                }

                return [Row(arm.Title, ScoreOn(pooled, cohorts.Keys, cancellationToken))];
            case ArmKind.Local:
                return Local(arm, armJob, own, say, started, cancellationToken);
            default:
                if (!_federations.TryGetValue(arm.Training, out var models))
                {
                    var federation = new InProcessFederation(armJob, cohorts, own, device, time);
                    models = federation.Run(round => say($"{arm.Name}: round {round} of {job.Rounds}"), cancellationToken);
                    _federations.Add(arm.Training, models);
                }

                var scored = arm.Kind == ArmKind.Personal
                    ? [.. models.Personal.SelectMany(site => ScoreOn([site.Value], [site.Key], cancellationToken))]
                    : ScoreOn([.. models.Global.TakeLast(arm.Members)], cohorts.Keys, cancellationToken);
                var row = Row(arm.Title, scored) with { UpdateBytes = models.UpdateBytes };
                if (!arm.TellsWhenEnough) return [row];
                return [row with { Enough = WhenEnough(models, round => say($"{arm.Name}: scoring round {round}"), cancellationToken) }];
        }

        ExperimentRow Row(string title, IReadOnlyList<EvaluatedCase> scored) => Summarise(title, scored, time.GetElapsedTime(started));
    }

    private FirstEnough? WhenEnough(FederatedModels models, Action<int> scoring, CancellationToken cancellationToken) => FirstEnough.Of(
        models.Trained,
        round =>
        {
            scoring(round);
            return MeanDiceOf(Summaries(ScoreOn([models.Global[round - 1]], cohorts.Keys, cancellationToken)));
        });

    private List<ExperimentRow> Local(
        ExperimentArm arm, JobSpec armJob, string own, Action<string> say, long started, CancellationToken cancellationToken)
    {
        var (rows, onOwn) = (new List<ExperimentRow>(), new List<EvaluatedCase>());
        foreach (var (site, cohort) in cohorts)
        {
            say($"{arm.Name}: {site}");
            var siteStarted = time.GetTimestamp();
            var model = Alone(armJob, cohort, shares: 1, Path.Combine(own, site.ToString()), cancellationToken);
            var everywhere = ScoreOn([model], cohorts.Keys, cancellationToken);
            onOwn.AddRange(everywhere.Where(entry => entry.Site == site.ToString()));
            rows.Add(Summarise($"{site} alone, on all patients", everywhere, time.GetElapsedTime(siteStarted)));
        }

        rows.Add(Summarise("every site alone, each on its own patients", onOwn, time.GetElapsedTime(started)));
        return rows;
    }

    private string Alone(JobSpec armJob, Cohort cohort, int shares, string path, CancellationToken cancellationToken)
    {
        var request = new LocalTrainingRequest
        {
            Architecture = armJob.Architecture,
            Labels = armJob.Labels,
            Preprocessing = armJob.Preprocessing,
            Recipe = armJob.Recipe,
            Steps = checked(armJob.Rounds * armJob.Recipe.StepsPerRound * shares),
            Seed = armJob.Seed,
        };
        return LocalTraining.Run(request, cohort.WithoutHeldBack(), path, device, stepped: null, cancellationToken) is LocalTrainingOutcome.Done
            ? path
            : throw new BadInputException("The training became NaN or infinite; lower the learning rate.");
    }

    private List<EvaluatedCase> ScoreOn(IReadOnlyList<string> models, IEnumerable<SiteId> sites, CancellationToken cancellationToken)
    {
        using var predictor = Predictor.Open(models, mirror: false, device);
        return [.. sites.SelectMany(site => cohorts[site].HeldBack.Select((entry, i) => predictor.Evaluate(site.ToString(), $"{i}", entry, cancellationToken)))];
    }

    private ExperimentRow Summarise(string title, IReadOnlyList<EvaluatedCase> scored, TimeSpan took)
    {
        var labels = Summaries(scored);
        var patients = scored.Select(entry => (entry.Site, entry.PatientKey)).Distinct().Count();
        return new ExperimentRow(title, labels, MeanDiceOf(labels), patients, took);
    }

    private IReadOnlyList<LabelSummary> Summaries(IReadOnlyList<EvaluatedCase> scored) =>
        new CohortEvaluation(scored, []).Summarise(job.Labels, seed: 1);

    private static double MeanDiceOf(IReadOnlyList<LabelSummary> labels) => labels.Average(label => label.MeanDice);
}

/// <summary>A row of the results.</summary>
/// <param name="Title">The way of training.</param>
/// <param name="Labels">Per label: mean Dice, its 95 % interval over patients, mean HD95.</param>
/// <param name="MeanDice">Mean over labels.</param>
/// <param name="Patients">Held-back patients scored.</param>
/// <param name="Took">Training and scoring.</param>
internal sealed record ExperimentRow(string Title, IReadOnlyList<LabelSummary> Labels, double MeanDice, int Patients, TimeSpan Took)
{
    /// <summary>Bytes of an update as it would leave a site; none where nothing leaves.</summary>
    public long? UpdateBytes { get; init; }

    /// <summary>When the model first was good enough, for a row that asks for it and got there.</summary>
    public FirstEnough? Enough { get; init; }
}
