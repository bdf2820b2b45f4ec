using FedSeg.Egress.Review;
using FedSeg.Federation.Rounds;

namespace FedSeg.Desk.Wording;

/// <summary>What approving an update does not mean: said for this update, from what is known of it.</summary>
internal static class Caveats
{
    private const int FewCases = 50;

    public static IEnumerable<string> Of(ReviewSummary summary, SiteReport report)
    {
        if (summary.Plan.Task == RoundTask.Train)
        {
            if (summary.Privacy is null)
            {
                yield return "Numbers learnt from patients' images are not anonymous by themselves. In experiments, parts of training images were rebuilt from such changes, above all with few images and few steps; this one comes from "
                + $"{report.TrainingCases} cases and {report.Steps} steps.";
            }
            else
            {
                yield return "Differential privacy limits what can be learnt about one patient; it does not make it nothing. The scores on patients that were held back are not covered by it.";
            }

            yield return summary.Plan.Blind is { } blind
                ? $"It is masked before it leaves: the coordinator learns the sum of at least {blind.Threshold} hospitals' changes and can't "
                    + $"see this one by itself, unless {blind.Threshold} hospitals help it to. Scores and case counts are not masked."
                : "Whoever receives it sees this hospital's change by itself, not only the average of all hospitals.";
            if (summary.Plan.Recipe.ErrorFeedback)
            {
                yield return "What earlier rounds left out or rounded off is part of this one, and what this one leaves out will be part of the next, until the run ends. "
                    + "Refusing one does not take back what such rounds have told.";
            }

            yield return "The checks find mistakes and crude attacks. They can't prove that nothing about a patient is hidden in millions of numbers.";
        }

        if (report.HeldBackCases is > 0 and < FewCases || report.TrainingCases is > 0 and < FewCases)
        {
            yield return "The cohort is small. Averages over few patients say more about each of them than averages over many.";
        }

        if (summary.Plan.Task == RoundTask.Fingerprint)
        {
            yield return "Counts of few cases are left out, but nothing is hidden in noise: who knows all patients of a class but one learns about that one.";
        }

        yield return summary.Plan.Task switch
        {
            RoundTask.Train => "Once sent it can't be called back: it becomes part of the shared model, also if a patient withdraws later.",
            RoundTask.Fingerprint => "Once sent the counts can't be called back; the network is planned from them.",
            _ => "Once sent the scores can't be called back.",
        };
    }
}
