using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;

namespace FedSeg.FakeTrainer;

/// <summary>
/// Delivers changes that follow from site and round alone and lie on a grid of 2⁻¹⁵, after 128 cases: every sum and mean of a few of them
/// is exact, so a test knows a
/// round's model to the bit. It reads no cohort.
/// </summary>
public static class Deliveries
{
    public const int Cases = 128, GridExponent = -15;

    /// <summary>Largest magnitude of a change, in steps of the grid.</summary>
    public const int LargestLevel = 1000;

    /// <summary>The change of one weight.</summary>
    public static float Change(int site, int round, long weight) =>
        (float)Math.ScaleB((31 * weight + 1009 * site + 17 * round) % (2 * LargestLevel + 1) - LargestLevel, GridExponent);

    public static int Run(int site)
    {
        while (Console.ReadLine() is { } line)
        {
            var answer = Answer(JsonSerializer.Deserialize<TrainerCommand>(line, FederationJson.Options)!, site);
            Console.WriteLine(JsonSerializer.Serialize(answer, FederationJson.Options));
        }

        return 0;
    }

    private static TrainerEvent Answer(TrainerCommand command, int site)
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
            case TrainerCommand.Run { Plan: var plan, UpdatePath: var path }:
                var trains = plan.Task == RoundTask.Train;
                var similarity = trains ? new ImageSimilarity(Largest: 0, Pieces: 1, Write(plan, path, site)) : null;
                return new TrainerEvent.Finished
                {
                    TrainingCases = Cases,
                    HeldBackCases = Cases,
                    Steps = trains ? plan.Recipe.StepsPerRound : 0,
                    MeanLoss = trains ? 0 : null,
                    Scores = [],
                    Seconds = 0,
                    Cohort = new CohortUse(Cases, Cases),
                    Similarity = similarity,
                };
            default:
                throw new InvalidDataException($"The agent asked for {command.GetType().Name}.");
        }
    }

    private static Sha256Digest Write(RoundPlan plan, string path, int site)
    {
        var manifest = plan.Manifest();
        using var writer = SafetensorsWriter.Create(path, manifest);
        for (var weight = 0L; weight < manifest.ParameterCount; weight++) writer.Write([Change(site, plan.Round, weight)]);
        return writer.Complete();
    }
}
