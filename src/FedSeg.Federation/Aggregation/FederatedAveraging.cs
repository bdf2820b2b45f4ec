using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Aggregation;

/// <summary>A stored update and its weight in the average.</summary>
/// <param name="Site">Who sent it.</param>
/// <param name="Path">Its safetensors file: trained minus base weights.</param>
/// <param name="Weight">Training cases; at least 1.</param>
public sealed record WeightedUpdate(SiteId Site, string Path, int Weight);

/// <summary>
/// Federated averaging on deltas: new = base + Σ wₖ Δₖ / Σ wₖ (McMahan et al. 2017, algorithm 1, rewritten for updates).
/// Works tensor by tensor and chunk by chunk from files, sites in ordinal order, in double, rounded to float32 once: the same files give the same
/// bytes on any machine, and memory is one chunk of doubles and one of floats however many sites and however large the model.
/// </summary>
public static class FederatedAveraging
{
    /// <summary>Elements per chunk: 512 KiB of doubles.</summary>
    private const int ChunkElements = 1 << 16;

    /// <summary>Writes the new global model; durable when this returns.</summary>
    /// <param name="baseModelPath">The model the updates were made against.</param>
    /// <param name="updates">At least one; any order.</param>
    /// <param name="manifest">The tensors of model and updates.</param>
    /// <param name="resultPath">Where the new model goes; replaced if it exists.</param>
    /// <param name="metadata">Metadata of the new model.</param>
    /// <param name="cancellationToken">Stops between chunks and leaves an unfinished file.</param>
    /// <exception cref="ArgumentException">No update, two from one site, or a weight below 1.</exception>
    /// <exception cref="SafetensorsException">A file is not what the manifest declares.</exception>
    public static void Aggregate(
        string baseModelPath,
        IReadOnlyCollection<WeightedUpdate> updates,
        TensorManifest manifest,
        string resultPath,
        IReadOnlyDictionary<string, string> metadata,
        CancellationToken cancellationToken)
    {
        if (updates.Count == 0) throw new ArgumentException("There is no update to average.", nameof(updates));
        if (updates.Any(update => update.Weight < 1)) throw new ArgumentException("Every update weighs at least one case.", nameof(updates));
        if (updates.DistinctBy(update => update.Site).Count() != updates.Count) throw new ArgumentException("A site may count only once.", nameof(updates));

        using var baseModel = OpenChecked(baseModelPath, manifest);
        var sources = new List<(SafetensorsFile File, double Weight)>(updates.Count);
        try
        {
            foreach (var update in updates.OrderBy(update => update.Site))
            {
                sources.Add((OpenChecked(update.Path, manifest), update.Weight));
            }

            var totalWeight = sources.Sum(source => source.Weight);
            using var writer = SafetensorsWriter.Create(resultPath, manifest, metadata);
            var sum = new double[ChunkElements];
            var chunk = new float[ChunkElements];
            foreach (var tensor in manifest.Tensors)
            {
                for (var start = 0L; start < tensor.ElementCount; start += ChunkElements)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var count = (int)Math.Min(ChunkElements, tensor.ElementCount - start);
                    AverageChunk(tensor.Name, start, sum.AsSpan(0, count), chunk.AsSpan(0, count));
                    writer.Write(chunk.AsSpan(0, count));
                }
            }

            writer.Complete();

            void AverageChunk(string tensor, long start, Span<double> total, Span<float> values)
            {
                total.Clear();
                foreach (var (file, weight) in sources)
                {
                    file.Read(tensor, start, values);
                    for (var i = 0; i < values.Length; i++) total[i] += weight * values[i];
                }

                baseModel.Read(tensor, start, values);
                for (var i = 0; i < values.Length; i++) values[i] = (float)(values[i] + total[i] / totalWeight);
            }
        }
        finally
        {
            foreach (var (file, _) in sources) file.Dispose();
        }
    }

    private static SafetensorsFile OpenChecked(string path, TensorManifest manifest)
    {
        var file = SafetensorsFile.Open(path);
        if (manifest.FirstDifference(file.Tensors) is not { } difference) return file;
        file.Dispose();
        throw new SafetensorsException($"{Path.GetFileName(path)}: {difference}");
    }
}
