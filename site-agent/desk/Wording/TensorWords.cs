using FedSeg.Egress.Review;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.Desk.Wording;

/// <summary>How the parts of a change travel, and how they compare with this hospital's earlier ones.</summary>
internal static class TensorWords
{
    /// <summary>What of a tensor leaves.</summary>
    /// <param name="Numbers">How many numbers the tensor has.</param>
    /// <param name="Type">How each is written.</param>
    /// <param name="Bytes">What they take, without the file's head.</param>
    public readonly record struct Leaving(long Numbers, string Type, long Bytes);

    public static Leaving Of(RoundPlan plan, TensorMeasures tensor)
    {
        var spec = new TensorSpec(tensor.Name, tensor.Shape);
        var encoding = plan.Recipe.UpdateEncoding;
        if (plan.Blind is not null) return new Leaving(spec.ElementCount, $"masked, {BlindSpec.BytesPerWeight} bytes", spec.ElementCount * BlindSpec.BytesPerWeight);
        var bytes = EncodedManifest.Of(new TensorManifest([spec]), encoding).Tensors.Sum(part => part.ByteCount);
        return new Leaving(spec.ElementCount, TypeOf(encoding), bytes);
    }

    /// <summary>Against the run's earlier approved rounds, in a few words and their range.</summary>
    public static string Against(TensorMeasures tensor) => tensor.Earlier.IsEmpty
        ? Words.Comparison(tensor.Norm, tensor.Earlier)
        : $"{Words.Comparison(tensor.Norm, tensor.Earlier)} ({Words.Number(tensor.Earlier.Min())} to {Words.Number(tensor.Earlier.Max())})";

    /// <summary>The same for all of them, in a sentence.</summary>
    public static string Against(IReadOnlyCollection<TensorMeasures> tensors)
    {
        if (tensors.All(tensor => tensor.Earlier.IsEmpty)) return "There are no earlier rounds of this run to compare its parts with.";
        var larger = tensors.Where(tensor => Words.IsMuchLarger(tensor.Norm, tensor.Earlier)).Select(tensor => tensor.Name).ToList();
        return larger.Count == 0
            ? $"None of its {tensors.Count} parts changed more than twice as much as in this hospital's earlier rounds."
            : $"{larger.Count} of its {tensors.Count} parts changed more than twice as much as ever in this hospital's earlier rounds: {string.Join(", ", larger.Take(5))}{(larger.Count > 5 ? " and others" : "")}.";
    }

    private static string TypeOf(UpdateEncoding encoding) => encoding switch
    {
        UpdateEncoding.F16 => "float16",
        UpdateEncoding.I16 => "int16, and one step size",
        UpdateEncoding.I8 => "int8, and one step size",
        UpdateEncoding.Top10 => "the largest tenth: float32 and its place",
        UpdateEncoding.Top1 => "the largest hundredth: float32 and its place",
        _ => "float32",
    };
}
