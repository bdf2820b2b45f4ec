using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Weights;

/// <summary>
/// What a model file says about itself, enough to rebuild the network and its input from the file alone. Written as the safetensors <c>__metadata__</c> map:
/// <c>architecture</c>, <c>labels</c> and <c>preprocessing</c> as JSON; <c>run</c>, <c>round</c> (0 for the initial model), <c>base</c> and <c>plan</c> (SHA-256) where a
/// federated round made the model.
/// </summary>
public sealed record ModelMetadata
{
    public required ArchitectureSpec Architecture { get; init; }

    /// <summary>Labels in class order, from 1.</summary>
    public required ImmutableArray<string> Labels { get; init; }

    public required PreprocessingSpec Preprocessing { get; init; }

    /// <summary>The run that made the model; absent for local training.</summary>
    public RunId? Run { get; init; }

    /// <summary>The round that made the model; 0 for an initial model.</summary>
    public int Round { get; init; }

    /// <summary>The model the round started from.</summary>
    public Sha256Digest? Base { get; init; }

    /// <summary>SHA-256 of the round's plan.</summary>
    public Sha256Digest? Plan { get; init; }

    /// <summary>Metadata of the model that a federated round makes.</summary>
    public static ModelMetadata Of(RoundPlan plan) => new()
    {
        Architecture = plan.Architecture,
        Labels = plan.Labels,
        Preprocessing = plan.Preprocessing,
        Run = plan.Run,
        Round = plan.Round,
        Base = plan.BaseModel,
        Plan = Sha256Digest.Of(plan.ToBytes()),
    };

    /// <summary>The map to write.</summary>
    public ImmutableSortedDictionary<string, string> ToMap()
    {
        var map = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        map.Add("architecture", JsonSerializer.Serialize(Architecture, FederationJson.Options));
        map.Add("labels", JsonSerializer.Serialize(Labels, FederationJson.Options));
        map.Add("preprocessing", JsonSerializer.Serialize(Preprocessing, FederationJson.Options));
        map.Add("round", Round.ToString());
        if (Run is { } run) map.Add("run", run.ToString());
        if (Base is { } baseModel) map.Add("base", baseModel.ToString());
        if (Plan is { } plan) map.Add("plan", plan.ToString());
        return map.ToImmutable();
    }

    /// <summary>Reads the map of a model file.</summary>
    /// <exception cref="SafetensorsException">A key is missing or its value is not what this class writes.</exception>
    public static ModelMetadata FromMap(IReadOnlyDictionary<string, string> map)
    {
        try
        {
            return new ModelMetadata
            {
                Architecture = Json<ArchitectureSpec>("architecture"),
                Labels = Json<ImmutableArray<string>>("labels"),
                Preprocessing = Json<PreprocessingSpec>("preprocessing"),
                Round = int.Parse(map["round"]),
                Run = map.TryGetValue("run", out var run) ? RunId.Parse(run) : null,
                Base = map.TryGetValue("base", out var baseModel) ? Sha256Digest.Parse(baseModel) : null,
                Plan = map.TryGetValue("plan", out var plan) ? Sha256Digest.Parse(plan) : null,
            };
        }
        catch (Exception error) when (error is KeyNotFoundException or JsonException or FormatException or OverflowException)
        {
            throw new SafetensorsException("the model's metadata is not FedSeg's: " + error.Message, error);
        }

        T Json<T>(string key) => JsonSerializer.Deserialize<T>(map[key], FederationJson.Options) ?? throw new JsonException($"'{key}' is null.");
    }
}
