using System.CommandLine;
using System.Globalization;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;

namespace FedSeg.Cli.Aggregation;

/// <summary>
/// <c>fedseg aggregate</c>: the coordinator's own aggregation over a few numbers, to look at what a strategy does and to compare it with
/// others' code.
/// </summary>
internal static class AggregateCommand
{
    private static readonly string Names = string.Join(", ", StrategyCatalog.All.Select(strategy => strategy.Name));

    private static readonly Option<string> StrategyOption = new("--strategy")
    {
        Description = "One of: " + Names,
        Required = true,
    };

    private static readonly Option<FileInfo> InputOption = new("--input")
    {
        Description = "JSON: {initial[], rounds[[{weight, values[], steps?}]], options{}}; values are a client's absolute weights after training.",
        Required = true,
    };

    public static Command Create() =>
        new Command("aggregate", "Run an aggregation strategy on a small JSON file.") { StrategyOption, InputOption }.Does(AggregateAsync);

    private static async Task<int> AggregateAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var name = parsed.GetRequiredValue(StrategyOption);
        var strategy = StrategyCatalog.Find(name)
            ?? throw new BadInputException($"--strategy: '{name}' is not one of: {Names}");
        var file = parsed.GetRequiredValue(InputOption);
        if (!file.Exists) throw new BadInputException($"There is no file '{file.FullName}'.");

        var input = AggregationInput.Parse(await File.ReadAllBytesAsync(file.FullName, cancellationToken), file.Name, strategy);
        var models = Run(input, cancellationToken);
        if (parsed.GetValue(CommandLine.Json))
        {
            JsonOutput.Write(new { models });
        }
        else
        {
            for (var round = 0; round < models.Count; round++)
            {
                var values = models[round].Select(value => value.ToString("R", CultureInfo.InvariantCulture));
                Console.WriteLine($"round {round + 1}: [{string.Join(", ", values)}]");
            }
        }

        return CommandLine.Done;
    }

    private static List<double[]> Run(AggregationInput input, CancellationToken cancellationToken)
    {
        var models = new List<double[]>();
        var model = input.Initial;
        var state = new Dictionary<StatePart, IWeightSource>();
        var pastNorms = new Queue<IReadOnlyList<double>>();
        for (var index = 0; index < input.Rounds.Length; index++)
        {
            var next = new WeightsInMemory(model.Length);
            var nextState = input.Spec.Step.StateParts.ToDictionary(part => part, _ => new WeightsInMemory(model.Length));
            var round = new AggregationRound
            {
                Number = index + 1,
                Base = new WeightsInMemory(model),
                Contributions = [.. input.Rounds[index].Select((client, k) => Contribution(input, client, k, index, model))],
                State = state,
                PastNorms = [.. pastNorms.SelectMany(norms => norms)],
            };
            try
            {
                var output = new AggregationOutput(next, nextState.ToDictionary(part => part.Key, part => (IWeightSink)part.Value));
                var summary = Aggregator.Run(input.Spec, round, output, cancellationToken);
                pastNorms.Enqueue([.. summary.Norms.Values]);
                if (pastNorms.Count > NormBound.HistoryRounds) pastNorms.Dequeue();
            }
            catch (AggregationException error)
            {
                throw new BadInputException($"rounds[{index}]: {error.Message}");
            }

            state = nextState.ToDictionary(part => part.Key, part => (IWeightSource)part.Value);
            model = next.Values.ToArray();
            models.Add(model);
        }

        return models;
    }

    private static Contribution Contribution(AggregationInput input, ClientValues client, int index, int round, double[] model) => new()
    {
        Site = SiteOf(index),
        Update = new WeightsInMemory([.. client.Values.Select((value, i) => value - model[i])]),
        Weight = client.Weight,
        Steps = client.Steps,
        Loss = input.LossOf(round, index),
    };

    /// <summary>Names that keep the clients' order when sorted.</summary>
    public static SiteId SiteOf(int index) => SiteId.Parse(string.Create(CultureInfo.InvariantCulture, $"client-{index:D9}"));
}
