using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace FedSeg.Federation;

/// <summary>How the federation's records are written as JSON: one way, so that the same record gives the same bytes and the same hash everywhere.</summary>
public static class FederationJson
{
    /// <summary>
    /// Camel case, enums as strings, no indentation; unknown, duplicate and missing required properties are errors, and so is null for a list.
    /// </summary>
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
            TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RefuseNullLists } },
        };
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    /// <summary>The serializer makes of null an immutable array without an array in it, which ends whoever counts its entries.</summary>
    private static void RefuseNullLists(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (property.Set is not { } set || !property.PropertyType.IsGenericType || property.PropertyType.GetGenericTypeDefinition() != typeof(ImmutableArray<>)) continue;
            var none = Activator.CreateInstance(property.PropertyType)!;
            property.Set = (target, value) => set(target, none.Equals(value) ? throw new JsonException("A list is null.") : value);
        }
    }
}
