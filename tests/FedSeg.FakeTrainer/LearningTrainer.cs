using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;

namespace FedSeg.FakeTrainer;

/// <summary>
/// A trainer for the tests of crashes, which need no images. The change of the weights follows from the site, the round and the base model alone: trained again it is the
/// same, and an update that is lost, counted twice or of another round gives the model another hash.
/// </summary>
internal static class LearningTrainer
{
    private const int Cases = 10;

    public static async Task RunAsync(TextReader commands, TextWriter events)
    {
        var site = "";
        while (await commands.ReadLineAsync() is { } line)
        {
            var command = JsonSerializer.Deserialize<TrainerCommand>(line, FederationJson.Options)!;
            if (command is TrainerCommand.Open open) site = Path.GetFileName(open.CohortDirectory);
            var answer = Answer(command, site);
            await events.WriteLineAsync(JsonSerializer.Serialize(answer, FederationJson.Options));
            await events.FlushAsync();
        }
    }

    private static TrainerEvent Answer(TrainerCommand command, string site)
    {
        switch (command)
        {
            case TrainerCommand.Preflight:
                return new TrainerEvent.Surveyed { Usable = Cases, Quarantined = ImmutableSortedDictionary<string, int>.Empty };
            case TrainerCommand.Open:
                return new TrainerEvent.Ready
                {
                    TrainingCases = Cases,
                    HeldBackCases = Cases,
                    Quarantined = ImmutableSortedDictionary<string, int>.Empty,
                    NetworkIsolated = false,
                    Device = "cpu",
                };
            case TrainerCommand.Run { Plan: var plan, UpdatePath: var path, ResidualPath: var residual }:
                var trains = plan.Task == RoundTask.Train;
                var similarity = trains ? new ImageSimilarity(Largest: 0, Pieces: 1, WriteUpdate(plan, site, path, residual)) : null;
                return new TrainerEvent.Finished
                {
                    TrainingCases = Cases,
                    HeldBackCases = Cases,
                    Steps = trains ? plan.Recipe.StepsPerRound : 0,
                    MeanLoss = trains ? 0.5 : null,
                    Scores = [],
                    Seconds = 0,
                    Cohort = new CohortUse(Cases, Cases),
                    Similarity = similarity,
                };
            default:
                throw new InvalidDataException($"The agent asked for {command.GetType().Name}.");
        }
    }

    private static Sha256Digest WriteUpdate(RoundPlan plan, string site, string path, string? residual)
    {
        var seed = SHA256.HashData(Encoding.UTF8.GetBytes($"{site} {plan.Round} {plan.BaseModel}"));
        var chance = new Random(BinaryPrimitives.ReadInt32LittleEndian(seed));
        var manifest = plan.Manifest();
        var values = new float[manifest.ParameterCount];
        foreach (ref var value in values.AsSpan()) value = (float)(0.001 * (2 * chance.NextDouble() - 1));
        using (var writer = SafetensorsWriter.Create(path, manifest))
        {
            writer.Write(values);
            var digest = writer.Complete();
            if (residual is null) return digest;
        }

        return Residual.Add(path, residual, manifest);
    }
}
