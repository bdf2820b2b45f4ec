using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Egress.Policy;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Sealing;

/// <summary>
/// Rewrites the trainer's report: ids and labels are taken from the plan, numbers are checked and coarsened, scores that would tell on few patients are left out. No
/// text of the trainer's survives.
/// </summary>
internal static class ReportSanitiser
{
    private const int MaxCases = 10_000_000;

    // Enough to follow training; the digits behind them only tell reports of nearly equal cohorts apart.
    private const string MetricFormat = "G3";

    // One patient more or less seldom shows in such a count.
    private const int CountStep = 5;

    /// <summary>What is wrong with a report as an answer to a plan, in words that hold nothing from the report; <see langword="null"/> when nothing is.</summary>
    public static string? Problem(SiteReport report, RoundPlan plan, SiteId site)
    {
        if (report.Run != plan.Run || report.Round != plan.Round || report.Task != plan.Task) return "answers another round";
        if (report.Plan != Sha256Digest.Of(plan.ToBytes())) return "answers another plan";
        if (report.BaseModel != plan.BaseModel) return "starts from another base model";
        if (report.Site != site) return "names another site";
        if (report.HeldBackCases is < 0 or > MaxCases) return "impossible number of held-back cases";
        if (report.Cohort is { } cohort && (cohort.Used < 0 || cohort.Found < cohort.Used || cohort.Found > MaxCases)) return "impossible number of studies";

        return FingerprintProblem(report, plan)
            ?? ScoresProblem(report, plan)
            ?? (plan.Task == RoundTask.Train ? TrainingProblem(report, plan) : EvaluationProblem(report));
    }

    /// <summary>The report as it may leave. Call it only for a report without a <see cref="Problem"/>.</summary>
    /// <param name="report">The trainer's report.</param>
    /// <param name="plan">What it answers.</param>
    /// <param name="site">This site.</param>
    /// <param name="policy">Fewest cases behind a score, and fewest studies behind a count, that leave.</param>
    public static SiteReport Sanitise(SiteReport report, RoundPlan plan, SiteId site, EgressPolicy policy) => new()
    {
        Run = plan.Run,
        Round = plan.Round,
        Task = plan.Task,
        Site = site,
        Plan = Sha256Digest.Of(plan.ToBytes()),
        BaseModel = plan.BaseModel,
        TrainingCases = report.TrainingCases,
        HeldBackCases = Coarse(report.HeldBackCases, policy.MinimumHeldBackCases),
        Cohort = Suppressed(report.Cohort, policy.MinimumReportedCount),
        Steps = report.Steps,
        MeanLoss = Rounded(report.MeanLoss),
        Scores = report.HeldBackCases < policy.MinimumHeldBackCases || report.Scores.IsDefaultOrEmpty
            ? []
            : [.. report.Scores.Select((score, i) => Coarsened(plan.Labels[i], score, policy.MinimumHeldBackCases))],
        Fingerprint = report.Fingerprint is { } fingerprint ? Suppressed(fingerprint, plan, policy) : null,
    };

    /// <summary>The plan's words, and no count below what plan and policy ask for, whatever the trainer left in.</summary>
    private static SiteFingerprint Suppressed(SiteFingerprint fingerprint, RoundPlan plan, EgressPolicy policy)
    {
        var leastCases = Math.Max(plan.Planning!.LeastCases, policy.MinimumReportedCount);
        return fingerprint.Suppress(leastCases) with
        {
            Modality = plan.Preprocessing.Modality,
            Labels = plan.Labels,
            IntensityMoments = fingerprint.IntensityMoments.Rounded(),
        };
    }

    private static string? FingerprintProblem(SiteReport report, RoundPlan plan)
    {
        if (plan.Task != RoundTask.Fingerprint) return report.Fingerprint is null ? null : "a fingerprint that nobody asked for";
        if (report.Fingerprint is not { } fingerprint) return "the fingerprint is missing";
        if (fingerprint.Problem() is not null) return "an impossible fingerprint";
        var answers = fingerprint.Modality == plan.Preprocessing.Modality && fingerprint.Labels.SequenceEqual(plan.Labels, StringComparer.Ordinal);
        return answers ? null : "a fingerprint of another modality or other labels";
    }


    private static string? ScoresProblem(SiteReport report, RoundPlan plan)
    {
        var scores = report.Scores.IsDefault ? ImmutableArray<LabelScore>.Empty : report.Scores;
        if (scores.Length > 0 && !scores.Select(score => score.Label).SequenceEqual(plan.Labels, StringComparer.Ordinal)) return "labels are not the plan's";
        if (scores.Any(score => score.Cases < 0 || score.Cases > report.HeldBackCases)) return "a score over more cases than were held back";
        // Written so that NaN is a problem too.
        return scores.All(score => score.MeanDice is null or (>= 0 and <= 1)) ? null : "a Dice score outside 0 to 1";
    }

    private static string? TrainingProblem(SiteReport report, RoundPlan plan)
    {
        if (report.TrainingCases is < 0 or > MaxCases) return "impossible number of training cases";
        if (report.Steps < 1 || report.Steps > plan.Recipe.StepsPerRound) return "impossible number of steps";
        // A loss without noise on the patients trained on would break the promise that the noised weights keep.
        if (plan.Recipe.Privacy is not null) return report.MeanLoss is null ? null : "a training loss although the recipe is private";
        return Rounded(report.MeanLoss) is >= SiteReport.LeastLoss and <= SiteReport.LargestLoss ? null : "the mean loss is missing or not a possible number";
    }

    private static string? EvaluationProblem(SiteReport report) =>
        report is { TrainingCases: 0, Steps: 0, MeanLoss: null } ? null : "claims to have trained";

    private static LabelScore Coarsened(string label, LabelScore score, int minimumCases) => score.Cases < minimumCases
        ? new LabelScore(label, MeanDice: null, Cases: 0)
        : new LabelScore(label, Rounded(score.MeanDice), Coarse(score.Cases, minimumCases));

    /// <summary>Rounded to fives, and 0 below the least that is told; where a site tells of fewer than five, those as they are.</summary>
    private static int Coarse(int count, int leastTold) =>
        count < leastTold ? 0 : count < CountStep ? count : (count + CountStep / 2) / CountStep * CountStep;

    /// <summary>A few refused studies are a few patients; none at all, or many, tell on nobody. Few used ones stay untold as well.</summary>
    private static CohortUse? Suppressed(CohortUse? cohort, int minimumCount)
    {
        if (cohort is null) return null;
        var refused = cohort.Found - cohort.Used;
        return cohort.Used < minimumCount || (refused > 0 && refused < minimumCount)
            ? null
            : new CohortUse(Coarse(cohort.Used, minimumCount), Coarse(cohort.Found, minimumCount));
    }

    private static double? Rounded(double? metric) => metric is { } value
        ? double.Parse(value.ToString(MetricFormat, CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)
        : null;
}
