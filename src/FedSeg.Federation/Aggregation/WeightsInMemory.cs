namespace FedSeg.Federation.Aggregation;

/// <summary>Weights held as doubles in memory: small models, reference rounds, and the rows of <c>fedseg aggregate</c>.</summary>
public sealed class WeightsInMemory : IWeightSource, IWeightSink
{
    private readonly double[] _values;
    private int _written;

    public WeightsInMemory(double[] values) => _values = values;

    /// <summary>Room for as many weights, all zero.</summary>
    public WeightsInMemory(int length) => _values = new double[length];

    public long Length => _values.Length;

    public ReadOnlySpan<double> Values => _values;

    public void Read(long start, Span<double> destination) => _values.AsSpan((int)start, destination.Length).CopyTo(destination);

    public void Write(ReadOnlySpan<double> values)
    {
        values.CopyTo(_values.AsSpan(_written));
        _written += values.Length;
    }
}
