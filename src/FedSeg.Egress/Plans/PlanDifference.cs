using System.Text.Json;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Plans;

/// <summary>One thing in which two plans differ.</summary>
/// <param name="What">In words where there are any, else its place in the plan.</param>
/// <param name="Before">In the earlier plan; <see langword="null"/> where it had none.</param>
/// <param name="Now">In this one.</param>
public sealed record PlanDifference(string What, string? Before, string? Now)
{
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["study"] = "Study",
        ["totalRounds"] = "Number of rounds",
        ["labels"] = "What is outlined",
        ["minimumCases"] = "Fewest cases to take part",
        ["heldBackFraction"] = "Share of patients never trained on",
        ["seed"] = "Start of the random numbers",
        ["architecture.name"] = "Network",
        ["planning.preset"] = "Size of the network to be planned",
        ["planning.leastCases"] = "Fewest cases behind a count",
        ["trainingPlan"] = "The plan the network comes from",
        ["architecture.baseFeatures"] = "Width of the network",
        ["architecture.levels"] = "Depth of the network",
        ["preprocessing.modality"] = "Kind of images",
        ["preprocessing.spacingMm"] = "Resolution, mm (z, y, x)",
        ["preprocessing.patchVoxels"] = "Size of the image pieces (z, y, x)",
        ["recipe.stepsPerRound"] = "Training steps in a round",
        ["recipe.batchSize"] = "Image pieces in a step",
        ["recipe.updateEncoding"] = "How a change is written when it leaves",
        ["recipe.errorFeedback"] = "Whether what that leaves out stays here for the next round",
        ["recipe.optimizer"] = "Way of training",
        ["recipe.learningRate"] = "Size of a training step",
        ["egress.maximumNorm"] = "The run's own bound on the size of a change",
        ["egress.maximumTensorRatio"] = "The run's own bound on the change of a part",
        ["egress.minimumTrainingCases"] = "The run's own fewest cases trained on",
        ["egress.minimumHeldBackCases"] = "The run's own fewest cases behind a score",
        ["blind.sites"] = "Hospitals whose changes are summed blindly",
        ["blind.maximumCases"] = "Cases from which on a hospital counts no more",
        ["blind.gridExponent"] = "Fineness of what is summed, as a power of two",
        ["recipe.weightDecay"] = "Damping of the numbers",
    };

    /// <summary>Everything in which two plans' terms differ but the run's name.</summary>
    public static IReadOnlyList<PlanDifference> Between(RoundPlan before, RoundPlan now)
    {
        var (first, second) = (Flatten(before), Flatten(now));
        return
        [
            .. first.Keys.Union(second.Keys, StringComparer.Ordinal)
                .Where(key => key != "run" && first.GetValueOrDefault(key) != second.GetValueOrDefault(key))
                .Order(StringComparer.Ordinal)
                .Select(key => new PlanDifference(Names.GetValueOrDefault(key, key), first.GetValueOrDefault(key), second.GetValueOrDefault(key))),
        ];
    }

    private static Dictionary<string, string> Flatten(RoundPlan plan)
    {
        using var document = JsonDocument.Parse(RunTerms.Of(plan).ToBytes());
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        Add(document.RootElement, "", values);
        return values;
    }

    private static void Add(JsonElement element, string path, Dictionary<string, string> values)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            values[path] = element.ValueKind == JsonValueKind.Array ? string.Join(", ", element.EnumerateArray().Select(item => item.ToString())) : element.ToString();
            return;
        }

        foreach (var property in element.EnumerateObject()) Add(property.Value, path.Length == 0 ? property.Name : path + "." + property.Name, values);
    }
}
