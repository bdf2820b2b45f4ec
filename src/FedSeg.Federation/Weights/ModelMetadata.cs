using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Weights;

/// <summary>
/// What a model file says about itself in its <c>__metadata__</c>: enough to rebuild the network, the preprocessing and the meaning of each class from the
/// file alone, and where the model comes from. Written as strings under these keys:
/// <list type="table">
/// <item><term><c>fedseg</c></term><description>always <c>1</c></description></item>
/// <item><term><c>architecture</c></term><description><see cref="ArchitectureSpec"/> as JSON</description></item>
/// <item><term><c>labels</c></term><description>JSON array of label names in class order, background left out</description></item>
/// <item><term><c>preprocessing</c></term><description><see cref="PreprocessingSpec"/> as JSON</description></item>
/// <item><term><c>run</c></term><description>run name; absent when the model was trained outside a federation</description></item>
/// <item><term><c>round</c></term><description>round that made the model, 0 for the initial one; absent outside a federation</description></item>
/// <item><term><c>base</c></term><description>SHA-256 of the model this one was made from; absent for an initial one</description></item>
/// <item><term><c>plan</c></term><description>SHA-256 of the round plan's canonical bytes; absent outside a federation and for an initial model</description></item>
/// </list>
/// </summary>
public sealed record ModelMetadata
{
    private const string FormatKey = "fedseg";
    private const string Format = "1";
    private const string ArchitectureKey = "architecture";
    private const string LabelsKey = "labels";
    private const string PreprocessingKey = "preprocessing";
    private const string RunKey = "run";
    private const string RoundKey = "round";
    private const string BaseKey = "base";
    private const string PlanKey = "plan";

    public required ArchitectureSpec Architecture { get; init; }

    /// <summary>Labels in class order; class 0 is the background and not listed.</summary>
    public required ImmutableArray<string> Labels { get; init; }

    public required PreprocessingSpec Preprocessing { get; init; }

    public RunId? Run { get; init; }

    /// <summary>The round that made the model; 0 for the initial one.</summary>
    public int? Round { get; init; }

    /// <summary>The model this one was made from.</summary>
    public Sha256Digest? Base { get; init; }

    /// <summary>SHA-256 of the canonical bytes of the plan of the round that made the model.</summary>
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

    /// <summary>The entries of a model file's <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> ToDictionary()
    {
        var entries = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [FormatKey] = Format,
            [ArchitectureKey] = JsonSerializer.Serialize(Architecture, FederationJson.Options),
            [LabelsKey] = JsonSerializer.Serialize(Labels, FederationJson.Options),
            [PreprocessingKey] = JsonSerializer.Serialize(Preprocessing, FederationJson.Options),
        };
        if (Run is { } run) entries[RunKey] = run.ToString();
        if (Round is { } round) entries[RoundKey] = round.ToString(CultureInfo.InvariantCulture);
        if (Base is { } baseModel) entries[BaseKey] = baseModel.ToString();
        if (Plan is { } plan) entries[PlanKey] = plan.ToString();
        return entries;
    }

    /// <summary>Reads what a model file says about itself, and none of its weights.</summary>
    /// <exception cref="SafetensorsException">Not a safetensors file, or not FedSeg's.</exception>
    public static ModelMetadata ReadFile(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return Parse(file.Metadata);
    }

    /// <summary>Reads the metadata of a model file.</summary>
    /// <exception cref="SafetensorsException">An entry is missing or malformed, or the file was not written by FedSeg.</exception>
    public static ModelMetadata Parse(IReadOnlyDictionary<string, string> entries)
    {
        if (entries.GetValueOrDefault(FormatKey) != Format)
        {
            throw new SafetensorsException($"the file is not a FedSeg model: its metadata has no {FormatKey} = {Format}");
        }

        return new ModelMetadata
        {
            Architecture = Json<ArchitectureSpec>(entries, ArchitectureKey),
            Labels = Json<ImmutableArray<string>>(entries, LabelsKey),
            Preprocessing = Json<PreprocessingSpec>(entries, PreprocessingKey),
            Run = Optional(entries, RunKey, text => RunId.Parse(text)),
            Round = Optional(entries, RoundKey, text => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)),
            Base = Optional(entries, BaseKey, text => Sha256Digest.Parse(text)),
            Plan = Optional(entries, PlanKey, text => Sha256Digest.Parse(text)),
        };
    }

    private static T Json<T>(IReadOnlyDictionary<string, string> entries, string key)
    {
        if (!entries.TryGetValue(key, out var text)) throw new SafetensorsException($"the model's metadata has no {key}");
        try
        {
            return JsonSerializer.Deserialize<T>(text, FederationJson.Options) ?? throw new SafetensorsException($"the model's metadata entry {key} is null");
        }
        catch (JsonException error)
        {
            throw new SafetensorsException($"the model's metadata entry {key} is malformed", error);
        }
    }

    private static T? Optional<T>(IReadOnlyDictionary<string, string> entries, string key, Func<string, T> parse)
        where T : struct
    {
        if (!entries.TryGetValue(key, out var text)) return null;
        try
        {
            return parse(text);
        }
        catch (Exception error) when (error is FormatException or OverflowException)
        {
            throw new SafetensorsException($"the model's metadata entry {key} is malformed", error);
        }
    }
}
