using System.Text.Json;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;

namespace FedSeg.SiteAgent.Assignments;

/// <summary>What this agent trains at all: a plan from the wire is read strictly and held against the agent's own allow-list and limits.</summary>
internal static class PlanCheck
{
    private const int MaximumPlanBytes = 256 * 1024, MaximumHeaderBytes = 1 << 20;

    /// <summary>The plan, or <see langword="null"/> when the bytes are not one.</summary>
    public static RoundPlan? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaximumPlanBytes) return null;
        try
        {
            var plan = RoundPlan.FromBytes(bytes);
            // The serializer takes null for a record.
            if (plan is not { Architecture: not null, Preprocessing: not null, Recipe: { Algorithm: not null, Tensors: not null } }) return null;
            // Anything the canonical form does not repeat would escape the plan's hash.
            return plan.ToBytes().AsSpan().SequenceEqual(bytes) ? plan : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Everything for which this agent refuses a plan; empty when it may train.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="labels">The labels this site declared.</param>
    public static IReadOnlyList<string> Problems(RoundPlan plan, IEnumerable<string> labels)
    {
        var problems = new List<string>(plan.Task == RoundTask.Fingerprint ? FingerprintProblems(plan) : NetworkProblems(plan));
        if (plan.Architecture.Classes != plan.Labels.Length + 1) problems.Add("the network's classes are not the labels and the background");
        if (plan.Preprocessing.Modality is not ("MR" or "CT")) problems.Add("the modality is not MR or CT");
        if (plan.Egress?.Problem() is { } egress) problems.Add(egress);
        if (plan.TotalRounds is < 1 or > 10_000) problems.Add("the round is not one of the run's");
        if (plan.Recipe.StepsPerRound is < 1 or > 1_000_000 || plan.Recipe.BatchSize is < 1 or > 256) problems.Add("steps or batch size are out of bounds");
        if (!(plan.Recipe.LearningRate is > 0 and <= 10) || !(plan.Recipe.WeightDecay is >= 0 and <= 1)) problems.Add("the optimiser's numbers are out of bounds");
        if (plan.Recipe.Problem() is { } local) problems.Add("the local algorithm is impossible: " + local);
        if (plan.Recipe.EpochsPerRound is < 1 or > 1000 || plan.Recipe.FineTuneSteps is < 0 or > 1_000_000) problems.Add("epochs or fine-tuning steps are out of bounds");
        if (plan.Blind is not null) problems.AddRange(BlindProblems(plan, plan.Blind));
        if (!(plan.HeldBackFraction is >= 0.05 and <= 0.5)) problems.Add("the held-back share is out of bounds");
        var declared = labels.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var unknown = plan.Labels.Where(label => !declared.Contains(label)).ToList();
        if (!plan.Recipe.PartialLabels) problems.AddRange(unknown.Select(label => $"label '{label}' is not one of this site's"));
        else if (unknown.Count == plan.Labels.Length) problems.Add("none of the labels is one of this site's");
        return problems;
    }

    /// <summary>Fingerprints are asked for once, before there is anything to train.</summary>
    private static IEnumerable<string> FingerprintProblems(RoundPlan plan)
    {
        if (plan.Round != 0) yield return "fingerprints come before the first round";
        if (!plan.Architecture.IsToBePlanned || !plan.Preprocessing.SpacingMm.IsEmpty || !plan.Preprocessing.PatchVoxels.IsEmpty)
        {
            yield return "a network that is to be planned is named already";
        }

        if (plan.Planning is not { } planning) yield return "nothing says how the network is to be planned";
        else if (planning.Problem() is { } problem) yield return problem;
        // Its counts carry no noise, so the whole run would cost a patient more than its terms say.
        if (plan.Recipe.Privacy is not null) yield return "a private run does not begin with a fingerprint";
        if (plan.BaseModelBytes != 0 || plan.Control is not null || plan.TrainingPlan is not null) yield return "a fingerprint starts from no model and no plan";
    }

    private static List<string> NetworkProblems(RoundPlan plan)
    {
        var network = ArchitectureCatalog.Problems(plan.Architecture);
        var problems = new List<string>(network);
        if (plan.Architecture.InputChannels != 1) problems.Add("the cohort has one image channel");
        if (plan.Preprocessing.PatchVoxels.Length != 3 || plan.Preprocessing.SpacingMm.Length != 3) problems.Add("patch and spacing need three axes");
        else if (plan.Preprocessing.PatchVoxels.Any(extent => extent is < 1 or > 1024)) problems.Add("the patch does not fit into memory");
        else if (network.Count == 0) problems.AddRange(ArchitectureCatalog.PatchProblems(plan.Architecture, plan.Preprocessing.PatchVoxels));
        if (plan.Preprocessing.SpacingMm.Any(spacing => !(spacing is >= 0.05 and <= 20))) problems.Add("the spacing is impossible");
        if (plan.Preprocessing.Intensity is { } intensity && (plan.Preprocessing.Modality != "CT" || intensity.Problem() is not null)) problems.Add("the intensity statistics are impossible");
        if (plan.Preprocessing is { Crop: CropRule.NonzeroMasked, Modality: "CT" }) problems.Add("CT is not normalised within a mask");
        if (plan.Planning is not null) problems.Add("only a fingerprint round says how to plan");
        // The closing evaluation comes after the last training round.
        var lastRound = plan.Task == RoundTask.Train ? plan.TotalRounds : plan.TotalRounds + 1L;
        if (plan.Round < 1 || plan.Round > lastRound) problems.Add("the round is not one of the run's");
        if (network.Count > 0) return problems;
        if (plan.Control is { } control)
        {
            if (plan.Recipe.Algorithm is not LocalAlgorithm.Scaffold) problems.Add("only SCAFFOLD has a control variate");
            else if (control.Bytes - plan.Manifest().PayloadBytes is < 0 or > MaximumHeaderBytes) problems.Add("the control variate's length is not the network's");
        }

        if (plan.BaseModelBytes - plan.Manifest().PayloadBytes is < 0 or > MaximumHeaderBytes) problems.Add("the base model's length is not the network's");
        return problems;
    }

    private static IEnumerable<string> BlindProblems(RoundPlan plan, BlindSpec blind)
    {
        if (blind.Problem() is { } problem) yield return problem;
        if (plan.Recipe.UpdateEncoding != UpdateEncoding.F32) yield return "a masked update has an encoding of its own";
        if (plan.Recipe.Algorithm is LocalAlgorithm.Scaffold) yield return "a masked update has no room for a control variate";
    }
}
