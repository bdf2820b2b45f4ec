using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Federation.Training;

namespace FedSeg.Trainer;

/// <summary>One message a line, as JSON.</summary>
internal static class TrainerLine
{
    /// <exception cref="JsonException">Not a command, or with unknown or missing properties.</exception>
    public static TrainerCommand Read(string line) =>
        JsonSerializer.Deserialize<TrainerCommand>(line, FederationJson.Options) ?? throw new JsonException("The command is null.");

    public static string Write(TrainerEvent trainerEvent) => JsonSerializer.Serialize(trainerEvent, FederationJson.Options);
}
