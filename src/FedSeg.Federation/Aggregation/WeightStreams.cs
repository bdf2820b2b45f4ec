namespace FedSeg.Federation.Aggregation;

/// <summary>
/// The weights of a model, an update or a piece of server state: all its tensors laid end to end in manifest order, read in any range, as
/// doubles. Aggregation sees nothing else, so what runs over stored files in the coordinator runs over a few numbers in <c>fedseg
/// aggregate</c>.
/// </summary>
public interface IWeightSource
{
    /// <summary>Elements of all tensors together.</summary>
    long Length { get; }

    /// <summary>Reads <paramref name="destination"/>.Length elements from element <paramref name="start"/> on.</summary>
    void Read(long start, Span<double> destination);
}

/// <summary>Takes weights front to back, in pieces of any size.</summary>
public interface IWeightSink
{
    void Write(ReadOnlySpan<double> values);
}
