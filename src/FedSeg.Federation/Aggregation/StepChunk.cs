using System.Collections.Immutable;

namespace FedSeg.Federation.Aggregation;

/// <summary>The piece of model, change and server state that a step works on; one set of buffers for a whole round.</summary>
internal sealed class StepChunk(ImmutableArray<StatePart> parts, int capacity)
{
    private readonly double[] _model = new double[capacity];
    private readonly double[] _change = new double[capacity];
    private readonly ImmutableDictionary<StatePart, double[]> _state = parts.ToImmutableDictionary(part => part, _ => new double[capacity]);
    private int _length = capacity;

    /// <summary>The model's weights: the base before the step, the next model after it.</summary>
    public Span<double> Model => _model.AsSpan(0, _length);

    /// <summary>The combined change of the weights.</summary>
    public Span<double> Change => _change.AsSpan(0, _length);

    /// <summary>A part of the server's state, before and after the step.</summary>
    public Span<double> State(StatePart part) => _state[part].AsSpan(0, _length);

    public void Resize(int length) => _length = length;

    public void Load(AggregationRound round, long start)
    {
        round.Base.Read(start, Model);
        foreach (var part in parts)
        {
            if (round.State.TryGetValue(part, out var source)) source.Read(start, State(part));
            else State(part).Clear();
        }
    }

    public void Store(AggregationOutput output)
    {
        output.Model.Write(Model);
        foreach (var part in parts) output.State[part].Write(State(part));
    }
}
