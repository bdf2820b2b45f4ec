using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Tests.Aggregation;

/// <summary>A federation of a few numbers: clients give absolute weights, the server's state goes on from round to round.</summary>
internal sealed class SmallFederation(AggregationSpec spec, params double[] initial)
{
    private readonly List<double> _pastNorms = [];
    private Dictionary<StatePart, IWeightSource> _state = [];

    public double[] Model { get; private set; } = initial;

    public int Round { get; private set; }

    public AggregationSummary? Summary { get; private set; }

    /// <summary>A strategy by its name.</summary>
    public static AggregationSpec Spec(string name, params (string Option, double Value)[] options) =>
        StrategyCatalog.Find(name)!.Create(options.ToDictionary(option => option.Option, option => option.Value), SiteOf(0));

    public static SiteId SiteOf(int index) => SiteId.Parse($"site-{index:D3}");

    /// <summary>Starts the server's state elsewhere than at zero.</summary>
    public SmallFederation WithState(StatePart part, params double[] values)
    {
        _state[part] = new WeightsInMemory(values);
        return this;
    }

    /// <summary>One round over absolute weights; the model afterwards.</summary>
    public double[] Merge(params (double[] Values, double Weight)[] clients) =>
        Merge([.. clients.Select((client, i) => new Contribution
        {
            Site = SiteOf(i),
            Update = new WeightsInMemory([.. client.Values.Select((value, k) => value - Model[k])]),
            Weight = client.Weight,
        })]);

    public double[] Merge(params Contribution[] contributions)
    {
        var model = new WeightsInMemory(Model.Length);
        var state = spec.Step.StateParts.ToDictionary(part => part, _ => new WeightsInMemory(Model.Length));
        var round = new AggregationRound { Number = ++Round, Base = new WeightsInMemory(Model), Contributions = contributions, State = _state, PastNorms = _pastNorms };
        var output = new AggregationOutput(model, state.ToDictionary(part => part.Key, part => (IWeightSink)part.Value));
        Summary = Aggregator.Run(spec, round, output, TestContext.Current.CancellationToken);
        _pastNorms.AddRange(Summary.Norms.Values);
        _state = state.ToDictionary(part => part.Key, part => (IWeightSource)part.Value);
        return Model = model.Values.ToArray();
    }
}
