using System.Globalization;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.Egress.Plans;

/// <summary>What a run will do at this site, for somebody who decides about it and never trained a network.</summary>
public static class PlanExplanation
{
    /// <summary>One sentence or two per point.</summary>
    public static IReadOnlyList<string> Of(RoundPlan plan) => plan.Task == RoundTask.Fingerprint ? OfFingerprint(plan) : OfTraining(plan);

    private static IReadOnlyList<string> OfFingerprint(RoundPlan plan) =>
    [
        $"It wants to know what the {plan.Preprocessing.Modality} images of this hospital's cohort are like, so that a network can be planned that outlines "
            + $"{string.Join(" and ", plan.Labels)} at all sites of the run.",
        Text($"What leaves, once: how many cases have which voxel size, how many voxels and millimetres along each axis, and how often which brightness occurs within the outlines, each as counts in fixed classes. A count of fewer than {plan.Planning!.LeastCases} cases, or fewer than this hospital's policy lets be told, is left out. No image, no outline, no name, nothing about a single patient."),
        "The coordinator sees this hospital's counts by themselves. They have no differential privacy: a policy with a privacy budget refuses them.",
        "Nothing is trained. The network that is planned from them is put before this hospital again, and trained here only if that is approved.",
    ];

    private static IReadOnlyList<string> OfTraining(RoundPlan plan)
    {
        var manifest = plan.Manifest();
        var recipe = plan.Recipe;
        return
        [
            $"It trains a network to outline {string.Join(" and ", plan.Labels)} in {plan.Preprocessing.Modality} images of this hospital's cohort, together with the other sites of the run.",
            Text($"It runs for at most {plan.TotalRounds} rounds. In each, this hospital's computer makes {recipe.StepsPerRound:N0} training steps, each on {recipe.BatchSize} pieces of images of {string.Join(" × ", plan.Preprocessing.PatchVoxels)} points."),
            Text($"{plan.HeldBackFraction:P0} of the patients are never trained on; the model is only tried on them, and averages of how well it did leave."),
            Text($"What leaves after each round: how training changed the {manifest.ParameterCount:N0} numbers of the network ({Megabytes(plan.UpdateBytes())} a round), the number of cases, the training error, the average scores. Images, names and identifiers are not sent, and each time the egress policy is held against what leaves."),
            .. EncodingOf(plan),
            VisibilityOf(plan),
            PrivacyOf(plan),
            $"This hospital takes part only with at least {plan.MinimumCases} usable cases.",
            $"It brings no program of its own: the plan is names and numbers, and the network '{plan.Architecture.Name}' is one that this agent builds itself.",
        ];
    }

    private static string Megabytes(long bytes) => bytes < 1_000_000 ? Text($"about {Math.Max(1, bytes / 1000)} kB") : Text($"about {bytes / 1e6:F1} MB");

    private static IEnumerable<string> EncodingOf(RoundPlan plan)
    {
        var recipe = plan.Recipe;
        if (recipe.UpdateEncoding.IsSparse())
        {
            yield return $"Of each part of the network only the {(recipe.UpdateEncoding == UpdateEncoding.Top10 ? "tenth" : "hundredth")} of the changes that is largest leaves.";
        }

        if (recipe.ErrorFeedback)
        {
            yield return "What is left out or rounded off in a round stays on this hospital's computer, is added to the next round's change and goes when the run ends. "
                + "So what was learnt from a case in one round may leave in a later one.";
        }
    }

    private static string VisibilityOf(RoundPlan plan) => plan.Blind is { } blind
        ? $"Blind: the change is masked before it leaves. The coordinator learns the sum of at least {blind.Threshold} of "
            + $"{blind.Sites.Length} hospitals' changes and no single one, unless {blind.Threshold} of them help it to; it can't leave out "
            + "a hospital that spoils the model. Numbers of cases, training errors and scores are not masked."
        : "Inspectable: the coordinator sees this hospital's change by itself. It can leave out or limit one that would spoil the model, "
            + "and it could try to learn about patients from it.";

    private static string PrivacyOf(RoundPlan plan) => plan.Recipe.Privacy switch
    {
        null => "No differential privacy: what single patients contribute is averaged, not hidden. Parts of training images might be rebuilt from what leaves.",
        { Epsilon: { } epsilon, Delta: var delta } =>
            Text($"Differential privacy: what a single patient contributes is limited and hidden in noise. The whole run may cost a patient ε = {epsilon} at δ = {delta}; the smaller ε, the less can be learnt about one patient."),
        { NoiseMultiplier: var noise, Delta: var delta } =>
            Text($"Differential privacy: what a single patient contributes is limited and hidden in noise of {noise} times that limit; δ = {delta}."),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
