using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Aggregation;

/// <summary>
/// Some of a model's tensors, seen as if they were all: zeros where there is none. So a tensor that sites keep to themselves is left by a merge as it was.
/// </summary>
public sealed class PartialWeights : IWeightSource
{
    private readonly IWeightSource _stored;
    private readonly List<(long End, long? StoredStart)> _tensors = [];

    /// <param name="stored">What there is; its owner disposes it.</param>
    /// <param name="layout">The tensors of <paramref name="stored"/>, in order.</param>
    /// <param name="model">The model's tensors.</param>
    /// <param name="storedName">The name in the layout of a model's tensor, whether it is there or not.</param>
    public PartialWeights(IWeightSource stored, TensorManifest layout, TensorManifest model, Func<string, string> storedName)
    {
        _stored = stored;
        var starts = new Dictionary<string, long>();
        var position = 0L;
        foreach (var tensor in layout.Tensors)
        {
            starts.Add(tensor.Name, position);
            position += tensor.ElementCount;
        }

        foreach (var tensor in model.Tensors)
        {
            Length += tensor.ElementCount;
            _tensors.Add((Length, starts.TryGetValue(storedName(tensor.Name), out var start) ? start : null));
        }
    }

    public long Length { get; }

    public void Read(long start, Span<double> destination)
    {
        var begin = 0L;
        foreach (var (end, storedStart) in _tensors)
        {
            if (destination.IsEmpty) return;
            if (start < end)
            {
                var piece = destination[..(int)Math.Min(destination.Length, end - start)];
                if (storedStart is { } position) _stored.Read(position + start - begin, piece);
                else piece.Clear();
                destination = destination[piece.Length..];
                start += piece.Length;
            }

            begin = end;
        }
    }
}
