using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;

namespace FedSeg.FakeTrainer;

/// <summary>A trainer that needs no images: it answers every command as a good one does; only the change of the weights is its caller's.</summary>
/// <param name="cases">Cases it claims to have, to train on and held back.</param>
/// <param name="loss">Its training loss.</param>
/// <param name="write">Writes the change of the weights of a site, named by its cohort's folder; SHA-256 of the file.</param>
internal sealed class ObedientTrainer(int cases, double loss, Func<TrainerCommand.Run, string, Sha256Digest> write)
{
    private string _site = "";

    /// <summary>Works commands off until the agent closes the pipe.</summary>
    public async Task RunAsync(TextReader commands, TextWriter events)
    {
        while (await commands.ReadLineAsync() is { } line)
        {
            var answer = Answer(JsonSerializer.Deserialize<TrainerCommand>(line, FederationJson.Options)!);
            await events.WriteLineAsync(JsonSerializer.Serialize(answer, FederationJson.Options));
            await events.FlushAsync();
        }
    }

    private TrainerEvent Answer(TrainerCommand command)
    {
        switch (command)
        {
            case TrainerCommand.Preflight:
                return new TrainerEvent.Surveyed { Usable = cases, Quarantined = ImmutableSortedDictionary<string, int>.Empty };
            case TrainerCommand.Open open:
                _site = Path.GetFileName(open.CohortDirectory);
                return new TrainerEvent.Ready
                {
                    TrainingCases = cases,
                    HeldBackCases = cases,
                    Quarantined = ImmutableSortedDictionary<string, int>.Empty,
                    NetworkIsolated = false,
                    Device = "cpu",
                };
            case TrainerCommand.Run { Plan: var plan } run:
                var trains = plan.Task == RoundTask.Train;
                return new TrainerEvent.Finished
                {
                    TrainingCases = cases,
                    HeldBackCases = cases,
                    Steps = trains ? plan.Recipe.StepsPerRound : 0,
                    MeanLoss = trains ? loss : null,
                    Scores = [],
                    Seconds = 0,
                    Cohort = new CohortUse(cases, cases),
                    Similarity = trains ? new ImageSimilarity(Largest: 0, Pieces: 1, write(run, _site)) : null,
                };
            default:
                throw new InvalidDataException($"The agent asked for {command.GetType().Name}.");
        }
    }
}
