using System.Globalization;
using FedSeg.Federation.Weights;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Where a stretch of training stands, on the site's disk: weights, optimiser, what the local algorithm remembers, steps made and their loss. Draws need no place in it:
/// they follow from the step's number. Training that goes on from it ends with the same bits as training that was never interrupted.
/// </summary>
/// <param name="path">The file; replaced as a whole.</param>
/// <param name="everySteps">Steps between two of them.</param>
/// <param name="identity">The stretch it belongs to, by its plan and its patients; one of another stretch is not gone on from.</param>
internal sealed class TrainingCheckpoint(string path, int everySteps, string identity)
{
    private const string IdentityKey = "stretch", StepKey = "step", LossKey = "lossSum";

    /// <summary>Whether a step asks for one; the last always does.</summary>
    public bool IsDue(int step) => step % everySteps == 0;

    /// <summary>Writes after the steps that ask for it. A disk that refuses costs steps after a trainer's death, and never the training itself.</summary>
    public void Save(int step, int steps, double lossSum, IReadOnlyList<NamedWeights> weights, WeightOptimizer optimizer, IGradientTerm? term)
    {
        if (!IsDue(step) && step != steps) return;
        var facts = new Dictionary<string, string>(optimizer.Facts)
        {
            [IdentityKey] = identity,
            [StepKey] = step.ToString(CultureInfo.InvariantCulture),
            [LossKey] = lossSum.ToString("R", CultureInfo.InvariantCulture),
        };
        try
        {
            TensorFile.Write(path, Tensors(weights, optimizer, term), facts);
        }
        catch (IOException)
        {
            // The last whole one stays where it is.
        }
    }

    /// <summary>Puts everything back as it was; nothing is changed when there is no checkpoint of this stretch.</summary>
    /// <returns>Steps made and the sum of their losses; zeros when there is none.</returns>
    public (int Step, double LossSum) Restore(IReadOnlyList<NamedWeights> weights, WeightOptimizer optimizer, IGradientTerm? term)
    {
        if (!File.Exists(path) || !IsOfThisStretch()) return (0, 0);
        var facts = TensorFile.Read(path, Tensors(weights, optimizer, term));
        optimizer.Recall(facts);
        return (int.Parse(facts[StepKey], CultureInfo.InvariantCulture), double.Parse(facts[LossKey], CultureInfo.InvariantCulture));
    }

    private bool IsOfThisStretch()
    {
        try
        {
            using var file = SafetensorsFile.Open(path);
            return file.Metadata.GetValueOrDefault(IdentityKey) == identity;
        }
        catch (SafetensorsException)
        {
            // Damaged on the disk: it costs the steps it stood for, and never the round.
            return false;
        }
    }

    private static List<(string Name, Tensor Values)> Tensors(IReadOnlyList<NamedWeights> weights, WeightOptimizer optimizer, IGradientTerm? term) =>
        [.. weights.Select(entry => ("weights." + entry.Name, (Tensor)entry.Values)), .. optimizer.History, .. term?.History ?? []];
}
