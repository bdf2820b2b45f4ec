using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;

namespace FedSeg.Cli.Benchmarks;

/// <summary>
/// The other end of an agent's pipe when only the exchange is measured: it answers every command at once and delivers the same random change of the weights each round,
/// so that a round costs what moving, checking, sealing, storing and merging models costs, and nothing else.
/// </summary>
internal sealed class ExchangeTrainer(TextReader commands, TextWriter events, TimeProvider time)
{
    private const int Cases = 100, ChunkElements = 1 << 16;

    /// <summary>Standard deviation of a weight's change, far below any norm bound.</summary>
    private const double Deviation = 1e-3;

    private readonly List<ExchangeTime> _times = [];
    private string _delta = "", _timesPath = "";
    private ImageSimilarity? _similarity;

    /// <summary>Works commands off until the agent closes the pipe.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (await commands.ReadLineAsync(cancellationToken) is { } line)
        {
            var answer = Answer(JsonSerializer.Deserialize<TrainerCommand>(line, FederationJson.Options)!);
            await events.WriteLineAsync(JsonSerializer.Serialize(answer, FederationJson.Options));
            await events.FlushAsync(cancellationToken);
        }
    }

    private TrainerEvent Answer(TrainerCommand command)
    {
        switch (command)
        {
            case TrainerCommand.Preflight:
                return new TrainerEvent.Surveyed { Usable = Cases, Quarantined = ImmutableSortedDictionary<string, int>.Empty };
            case TrainerCommand.Open open:
                _timesPath = open.CohortReportPath;
                _delta = Path.ChangeExtension(_timesPath, ".safetensors");
                WriteDelta(open.Plan);
                return new TrainerEvent.Ready
                {
                    TrainingCases = Cases,
                    HeldBackCases = Cases,
                    Quarantined = ImmutableSortedDictionary<string, int>.Empty,
                    NetworkIsolated = false,
                    Device = "cpu",
                };
            case TrainerCommand.Run { Plan: var plan, UpdatePath: var path }:
                var received = time.GetUtcNow();
                if (plan.Task == RoundTask.Train) File.Copy(_delta, path);
                _times.Add(new ExchangeTime(plan.Round, received, time.GetUtcNow()));
                File.WriteAllText(_timesPath, JsonSerializer.Serialize(_times));
                return new TrainerEvent.Finished
                {
                    TrainingCases = Cases,
                    HeldBackCases = Cases,
                    Steps = plan.Task == RoundTask.Train ? plan.Recipe.StepsPerRound : 0,
                    MeanLoss = plan.Task == RoundTask.Train ? 0 : null,
                    Scores = [],
                    Seconds = 0,
                    Cohort = new CohortUse(Cases, Cases),
                    Similarity = plan.Task == RoundTask.Train ? _similarity : null,
                };
            default:
                throw new InvalidDataException($"The agent asked for {command.GetType().Name}.");
        }
    }

    private void WriteDelta(RoundPlan plan)
    {
        var manifest = plan.Manifest();
        var chance = new Random(1);
        var chunk = new float[ChunkElements];
        using var writer = SafetensorsWriter.Create(_delta, manifest);
        for (var left = manifest.ParameterCount; left > 0; left -= ChunkElements)
        {
            foreach (ref var value in chunk.AsSpan()) value = (float)(Deviation * (2 * chance.NextDouble() - 1));
            writer.Write(chunk.AsSpan(0, (int)Math.Min(left, ChunkElements)));
        }

        // Random numbers are like no image, and there is none.
        _similarity = new ImageSimilarity(Largest: 0, Pieces: 1, writer.Complete());
    }
}

/// <summary>When a site had the model, and when its trainer had delivered the update.</summary>
internal sealed record ExchangeTime(int Round, DateTimeOffset ModelReceived, DateTimeOffset UpdateDelivered)
{
    /// <summary>Reads what the stand-in trainer of a site wrote in place of a cohort's report.</summary>
    public static ExchangeTime[] Read(string path) => JsonSerializer.Deserialize<ExchangeTime[]>(File.ReadAllBytes(path)) ?? [];
}
