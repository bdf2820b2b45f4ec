using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Aggregation;

namespace FedSeg.Cli.Aggregation;

/// <summary>One client's row of a round.</summary>
/// <param name="Weight">Its cases.</param>
/// <param name="Values">Its absolute weights after training.</param>
/// <param name="Steps">Its optimiser steps; 1 where the file does not say.</param>
internal sealed record ClientValues(double Weight, double[] Values, int Steps);

/// <summary>
/// The input of <c>fedseg aggregate</c>, read strictly: an unknown key, an option the strategy does not have, a value out of its range or
/// not finite, and rows of another length are refused with their place. <c>losses</c> is one list of numbers for every round, or a list of
/// lists; <c>root</c> is the index of FLTrust's trusted client, 0 without it.
/// </summary>
internal sealed class AggregationInput
{
    private const string LossesKey = "losses", RootKey = "root";
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };
    private ImmutableArray<double[]> _losses = [];

    public required double[] Initial { get; init; }

    public required ImmutableArray<ImmutableArray<ClientValues>> Rounds { get; init; }

    public required AggregationSpec Spec { get; init; }

    /// <summary>A client's loss, where losses are given.</summary>
    public double? LossOf(int round, int client) => _losses.IsEmpty ? null : _losses[Math.Min(round, _losses.Length - 1)][client];

    /// <summary>Reads and checks a file.</summary>
    /// <exception cref="BadInputException">It is wrong; the message says where.</exception>
    public static AggregationInput Parse(byte[] json, string fileName, Strategy strategy)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return Parse(new JsonPlace(document.RootElement, fileName), strategy);
        }
        catch (JsonException error)
        {
            throw new BadInputException($"{fileName} is not JSON: {error.Message}");
        }
    }

    private static AggregationInput Parse(JsonPlace root, Strategy strategy)
    {
        root.RefuseOtherKeys("initial", "rounds", "options");
        var initial = root.Required("initial").Numbers();
        ImmutableArray<ImmutableArray<ClientValues>> rounds =
            [.. root.Required("rounds").Items().Select(round => ReadRound(round, initial.Length))];
        var options = root.Optional("options");
        var losses = options?.Optional(LossesKey) is { } place ? ReadLosses(place, rounds) : [];
        return new AggregationInput { Initial = initial, Rounds = rounds, Spec = ReadSpec(options, strategy, rounds), _losses = losses };
    }

    private static ImmutableArray<ClientValues> ReadRound(JsonPlace round, int length) =>
    [
        .. round.Items().Select(client =>
        {
            client.RefuseOtherKeys("weight", "values", "steps");
            var place = client.Required("values");
            var values = place.Numbers();
            if (values.Length != length) throw place.Wrong($"has {values.Length} numbers; initial has {length}");
            var steps = client.Optional("steps")?.WholeNumber(1, int.MaxValue) ?? 1;
            return new ClientValues(client.Required("weight").Number(0, double.MaxValue), values, steps);
        }),
    ];

    private static ImmutableArray<double[]> ReadLosses(JsonPlace place, ImmutableArray<ImmutableArray<ClientValues>> rounds)
    {
        var items = place.Items().ToList();
        ImmutableArray<double[]> losses = items.Exists(item => item.IsList) ? [.. items.Select(item => item.Numbers())] : [place.Numbers()];
        if (losses.Length != 1 && losses.Length != rounds.Length)
        {
            throw place.Wrong($"has {losses.Length} lists; there are {rounds.Length} rounds");
        }

        for (var round = 0; round < rounds.Length; round++)
        {
            var count = losses[Math.Min(round, losses.Length - 1)].Length;
            if (count != rounds[round].Length) throw place.Wrong($"has {count} losses; rounds[{round}] has {rounds[round].Length} clients");
        }

        return losses;
    }

    private static AggregationSpec ReadSpec(JsonPlace? options, Strategy strategy, ImmutableArray<ImmutableArray<ClientValues>> rounds)
    {
        if (options is null) return strategy.Create(root: AggregateCommand.SiteOf(0));

        string[] root = strategy.NeedsRoot ? [RootKey] : [], losses = strategy.NeedsLosses ? [LossesKey] : [];
        options.RefuseOtherKeys([.. strategy.Options.Select(option => option.Name), .. root, .. losses]);
        var given = new Dictionary<string, double>();
        foreach (var option in strategy.Options)
        {
            if (options.Optional(option.Name) is not { } place) continue;
            var value = place.Number(option.Minimum, option.Maximum);
            given[option.Name] = option.Allows(value) ? value : throw place.Wrong($"{value} is not a whole number");
        }

        var clients = rounds.IsEmpty ? 1 : rounds.Min(round => round.Length);
        var trusted = options.Optional(RootKey)?.WholeNumber(0, Math.Max(0, clients - 1)) ?? 0;
        return strategy.Create(given, AggregateCommand.SiteOf(trusted));
    }
}
