using System.Text.Json;
using System.Text.Json.Serialization;

namespace FedSeg.Federation;

/// <summary>How the federation's records are written as JSON: one way, so that the same record gives the same bytes and the same hash everywhere.</summary>
public static class FederationJson
{
    /// <summary>Camel case, enums as strings, no indentation; unknown, duplicate and missing required properties are errors.</summary>
    public static JsonSerializerOptions Options { get; } = Create();

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            AllowDuplicateProperties = false,
            IgnoreReadOnlyProperties = true,
            MaxDepth = 16,
        };
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
