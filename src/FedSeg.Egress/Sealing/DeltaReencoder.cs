using System.Collections.Immutable;
using FedSeg.Egress.Review;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;

namespace FedSeg.Egress.Sealing;

/// <summary>
/// Writes the weights that will leave: tensor by tensor from the declared manifest, in its order, into a canonical file without metadata. Of the trainer's file only
/// the values of the declared tensors survive, and what is measured is measured on exactly the values written; in a blind round also on the values before the grid. Memory is one chunk, whatever the model's size.
/// </summary>
internal static class DeltaReencoder
{
    private const int ChunkElements = 1 << 16;

    /// <summary>How a file differs from the manifest, in words that hold nothing from the file; <see langword="null"/> when it does not.</summary>
    public static string? Problem(SafetensorsFile source, TensorManifest manifest)
    {
        if (source.Metadata.Count > 0) return "the file carries metadata";
        return manifest.FirstDifference(source.Tensors) is null ? null : "names, shapes or order of the tensors are not the architecture's";
    }

    /// <summary>Copies, rounds to the grid, encodes, and measures what was written. When this returns, the file is on the disk.</summary>
    /// <param name="source">The trainer's file.</param>
    /// <param name="manifest">The declared tensors.</param>
    /// <param name="grid">The coarser of the policy's and the encoding's grid.</param>
    /// <param name="blind">In a blind round the scale and the grid that all sites share.</param>
    /// <param name="encoding">How the changes are written.</param>
    /// <param name="targetPath">The file to write.</param>
    /// <param name="baseModel">The model that the changes are changes of, to compare with; <see langword="null"/> where it is not at hand.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    public static DeltaMeasures Reencode(
        SafetensorsFile source,
        TensorManifest manifest,
        StochasticGrid grid,
        BlindGrid? blind,
        UpdateEncoding encoding,
        string targetPath,
        SafetensorsFile? baseModel,
        CancellationToken cancellationToken)
    {
        var chunk = new float[ChunkElements];
        var (squares, trainedSquares, nonFinite, subnormal) = (0.0, 0.0, 0L, 0L);
        // The change itself is judged, not a site's share of it, and not less of it where the grid cuts it off: the bounds say the same in both modes.
        var scale = blind?.Scale ?? 1;
        var tensors = ImmutableArray.CreateBuilder<TensorMeasures>(manifest.Tensors.Length);
        using var writer = UpdateWriter.Create(targetPath, manifest, encoding);
        foreach (var tensor in manifest.Tensors)
        {
            var step = grid.IsOff && (encoding == UpdateEncoding.F32 || encoding.IsSparse()) ? 0
                : grid.Step(Largest(source, tensor, chunk, cancellationToken));
            writer.BeginTensor((float)step, encoding.IsSparse()
                ? LargestMagnitudes.Find(source, tensor, encoding.KeptOf(tensor.ElementCount), chunk, cancellationToken)
                : null);
            var (sum, trained) = (new LaneSum(), new LaneSum());
            var (largest, trainedLargest, zeros, clipped) = (0f, 0f, 0L, 0L);
            for (var start = 0L; start < tensor.ElementCount; start += ChunkElements)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var values = chunk.AsSpan(0, (int)Math.Min(ChunkElements, tensor.ElementCount - start));
                source.Read(tensor.Name, start, values);
                nonFinite += FiniteValues.CountNonFinite(values);
                writer.Sift(values);
                grid.Round(values, step);
                if (blind is not null)
                {
                    trained.AddProducts(values, values);
                    trainedLargest = Math.Max(trainedLargest, FiniteValues.LargestFinite(values));
                    clipped += blind.Round(values);
                }

                writer.Write(values);
                subnormal += FiniteValues.CountSubnormal(values);
                sum.AddProducts(values, values);
                largest = Math.Max(largest, FiniteValues.LargestFinite(values));
                zeros += values.Count(0f);
            }

            // In double, in the manifest's order: the same norm on every machine.
            squares += sum.Total;
            trainedSquares += trained.Total;
            var norm = Larger(sum.Total, trained.Total, scale);
            // A control variate has no tensor of the model to compare with.
            var baseNorm = baseModel is not null && baseModel.Tensors.Contains(tensor) ? Norm(baseModel, tensor, chunk, cancellationToken) : 0;
            tensors.Add(new TensorMeasures(
                tensor.Name, tensor.Shape, norm, baseNorm > 0 ? norm / baseNorm : null, Math.Max(largest / scale, trainedLargest), (double)zeros / tensor.ElementCount)
            {
                ClippedShare = (double)clipped / tensor.ElementCount,
            });
        }

        var total = nonFinite == 0 ? Larger(squares, trainedSquares, scale) : double.NaN;
        return new DeltaMeasures(writer.Complete(), nonFinite, subnormal, total, tensors.MoveToImmutable());
    }

    /// <summary>The norm of what was written, in the change's own unit, or that of what was trained where rounding or the grid's end made it smaller.</summary>
    private static double Larger(double squares, double trainedSquares, double scale) => Math.Max(Math.Sqrt(squares) / scale, Math.Sqrt(trainedSquares));

    private static double Norm(SafetensorsFile model, TensorSpec tensor, float[] chunk, CancellationToken cancellationToken)
    {
        var sum = new LaneSum();
        for (var start = 0L; start < tensor.ElementCount; start += ChunkElements)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var values = chunk.AsSpan(0, (int)Math.Min(ChunkElements, tensor.ElementCount - start));
            model.Read(tensor.Name, start, values);
            sum.AddProducts(values, values);
        }

        return Math.Sqrt(sum.Total);
    }

    private static double Largest(SafetensorsFile source, TensorSpec tensor, float[] chunk, CancellationToken cancellationToken)
    {
        var largest = 0f;
        for (var start = 0L; start < tensor.ElementCount; start += ChunkElements)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var values = chunk.AsSpan(0, (int)Math.Min(ChunkElements, tensor.ElementCount - start));
            source.Read(tensor.Name, start, values);
            largest = Math.Max(largest, FiniteValues.LargestFinite(values));
        }

        return largest;
    }
}

/// <summary>What was measured over all weights of an update.</summary>
/// <param name="Sha256">Digest of the file written.</param>
/// <param name="NonFiniteValues">Weights that are NaN or infinite.</param>
/// <param name="SubnormalValues">Weights so small that float32 does not hold all their digits.</param>
/// <param name="Norm">
/// L2 norm; in a blind round before the scaling, and of the values before or after they are brought to the grid, whichever is larger. NaN when a weight is not finite.
/// </param>
/// <param name="Tensors">The same tensor by tensor, in file order.</param>
internal sealed record DeltaMeasures(Sha256Digest Sha256, long NonFiniteValues, long SubnormalValues, double Norm, ImmutableArray<TensorMeasures> Tensors);
