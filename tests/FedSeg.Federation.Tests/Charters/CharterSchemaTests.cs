using System.Text.Json.Nodes;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Charters;

namespace FedSeg.Federation.Tests.Charters;

/// <summary>The schema is for editors, the parser decides: each key and each bound of one is a key and a bound of the other. JSON is YAML, so the parser reads documents made of nodes.</summary>
public sealed class CharterSchemaTests
{
    private const string EveryKey = """
        {
          "study": "kidneys", "version": 1, "title": "T", "purpose": "P", "legalBasis": "L", "sites": ["north"],
          "recipients": [{ "organisation": "O", "country": "C", "address": "https://coordinator.example" }],
          "mode": "blind", "privacy": { "maximumEpsilon": 8, "delta": 0.00001 },
          "bounds": { "maximumRounds": 1, "maximumStepsPerRound": 1, "maximumParameters": 1, "labels": ["kidney"], "networks": ["unet"], "fingerprints": true },
          "fourEyes": true, "expires": "2027-12-31",
          "records": { "controllers": "A", "dataSubjects": "B", "dataCategories": "C", "retention": "D", "transfers": "E" }
        }
        """;

    private static readonly JsonObject Schema = JsonNode.Parse(CharterFile.Schema)!.AsObject();

    /// <summary>Paths of all keys, those in lists by their list's name and a 0.</summary>
    public static TheoryData<string> Keys { get; } = [.. KeysOf(Schema, "")];

    [Fact]
    public void Keys_OfTheSchema_AreThoseOfTheWholeCharter()
    {
        Assert.Empty(Problems(JsonNode.Parse(EveryKey)!.AsObject()));
        Assert.Equal(KeysIn(JsonNode.Parse(EveryKey)!.AsObject(), "").Order(StringComparer.Ordinal), Keys.Select(key => key.Data).Order(StringComparer.Ordinal));
        Assert.Equal(ArchitectureCatalog.Names, At("bounds.networks").Schema["items"]!["enum"]!.AsArray().Select(name => (string)name!));
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Key_LeftOut_IsAProblemWhereTheSchemaRequiresIt(string key)
    {
        var (owner, name, _, isRequired) = At(key);
        owner.Remove(name);

        var problems = Problems(owner);
        if (isRequired) Assert.Contains(problems, problem => problem.EndsWith($" {key.Replace(".0.", "[0].")}: missing", StringComparison.Ordinal));
        else Assert.Empty(problems);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Key_AtItsBounds_IsReadAndBeyondThemIsNot(string key)
    {
        var schema = At(key).Schema;
        Assert.All(Within(schema), value => Assert.Empty(ProblemsWith(key, value)));
        Assert.All(Beyond(schema), value => Assert.Contains(ProblemsWith(key, value), problem => problem.Contains(key.Replace(".0.", "[0]."), StringComparison.Ordinal)));
        Assert.NotEmpty(Beyond(schema));
    }

    private static IEnumerable<JsonNode> Within(JsonObject schema)
    {
        foreach (var bound in new[] { "minimum", "maximum" }) if (schema[bound] is { } number) yield return number.DeepClone();
        foreach (var length in Lengths(schema, "minLength", "maxLength")) yield return new string('a', length);
        foreach (var value in schema["enum"]?.AsArray() ?? []) yield return value!.DeepClone();
        if ((string?)schema["type"] == "boolean") yield return false;
        if (schema["items"] is { } items && !items.AsObject().ContainsKey("properties"))
        {
            foreach (var item in Within(Resolve(items))) yield return new JsonArray(item);
            if ((int?)schema["minItems"] is null) yield return new JsonArray();
        }
    }

    private static IEnumerable<JsonNode> Beyond(JsonObject schema)
    {
        if (schema["minimum"] is { } least) yield return (double)least - Math.Abs((double)least) / 2 - ((string?)schema["type"] == "integer" ? 1 : 0);
        if (schema["maximum"] is { } most) yield return (string?)schema["type"] == "integer" ? (long)most + 1 : (double)most * 1.01;
        foreach (var length in Lengths(schema, "minLength", "maxLength")) yield return new string('a', length == (int?)schema["minLength"] ? length - 1 : length + 1);
        if (schema.ContainsKey("enum") || schema.ContainsKey("pattern") || (string?)schema["type"] == "boolean") yield return "Something Else";
        if (schema.ContainsKey("properties") || schema.ContainsKey("items")) yield return "no list and no mapping";
        if (schema["items"] is { } items && !items.AsObject().ContainsKey("properties")) foreach (var item in Beyond(Resolve(items))) yield return new JsonArray(item);
        if ((int?)schema["minItems"] is > 0) yield return new JsonArray();
        if ((int?)schema["maxItems"] is { } longest) yield return new JsonArray([.. Enumerable.Range(0, longest + 1).Select(number => (JsonNode)$"a{number}")]);
        if (schema.ContainsKey("uniqueItems")) yield return new JsonArray("twice", "twice");
    }

    private static IEnumerable<int> Lengths(JsonObject schema, params string[] bounds) => bounds.Select(bound => (int?)schema[bound]).OfType<int>();

    private static IReadOnlyList<string> ProblemsWith(string key, JsonNode value)
    {
        var (owner, name, _, _) = At(key);
        owner[name] = value;
        return Problems(owner);
    }

    private static IReadOnlyList<string> Problems(JsonNode part) => CharterFile.Parse(part.Root.ToJsonString()) switch
    {
        CharterFileResult.Invalid invalid => [.. invalid.Problems.Select(problem => problem.ToString())],
        _ => [],
    };

    /// <summary>A key in a whole charter of its own: the object that holds it, its name there, its schema.</summary>
    private static (JsonObject Owner, string Name, JsonObject Schema, bool IsRequired) At(string key)
    {
        JsonNode owner = JsonNode.Parse(EveryKey)!;
        var schema = Schema;
        var path = key.Split('.');
        foreach (var step in path.SkipLast(1))
        {
            owner = step == "0" ? owner[0]! : owner[step]!;
            schema = Resolve(step == "0" ? schema["items"]! : schema["properties"]![step]!);
        }

        var isRequired = schema["required"]?.AsArray().Any(name => (string)name! == path[^1]) ?? false;
        return (owner.AsObject(), path[^1], Resolve(schema["properties"]![path[^1]]!), isRequired);
    }

    private static IEnumerable<string> KeysOf(JsonObject schema, string before)
    {
        foreach (var (name, property) in schema["properties"]?.AsObject() ?? [])
        {
            yield return before + name;
            var inner = Resolve(property!);
            foreach (var key in KeysOf(inner, $"{before}{name}.")) yield return key;
            if (inner["items"] is { } items) foreach (var key in KeysOf(Resolve(items), $"{before}{name}.0.")) yield return key;
        }
    }

    private static IEnumerable<string> KeysIn(JsonObject part, string before)
    {
        foreach (var (name, value) in part)
        {
            yield return before + name;
            if (value is JsonObject inner) foreach (var key in KeysIn(inner, $"{before}{name}.")) yield return key;
            if (value is JsonArray { Count: > 0 } list && list[0] is JsonObject first) foreach (var key in KeysIn(first, $"{before}{name}.0.")) yield return key;
        }
    }

    private static JsonObject Resolve(JsonNode schema) => (string?)schema["$ref"] is { } reference ? Schema["$defs"]![reference.Split('/')[^1]]!.AsObject() : schema.AsObject();
}
