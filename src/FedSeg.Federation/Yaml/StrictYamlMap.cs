using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Federation.Identity;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace FedSeg.Federation.Yaml;

/// <summary>
/// Reads a YAML mapping against a fixed set of keys and collects every problem with its line instead of stopping at the first. A key that nobody asked for
/// is a problem (<see cref="RefuseUnknownKeys"/>), so a misspelt limit never silently becomes a default.
/// </summary>
public sealed class StrictYamlMap
{
    private readonly YamlMappingNode _node;
    private readonly string _path;
    private readonly List<YamlProblem> _problems;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<StrictYamlMap> _children = [];

    private StrictYamlMap(YamlMappingNode node, string path, List<YamlProblem> problems)
    {
        _node = node;
        _path = path;
        _problems = problems;
    }

    /// <summary>Parses a document that must be one mapping.</summary>
    /// <param name="text">The YAML text, at most 1 MiB.</param>
    /// <param name="problems">Receives what is wrong, also later when values are asked for.</param>
    /// <returns>The mapping; an empty one when the text is not even that.</returns>
    public static StrictYamlMap Parse(string text, List<YamlProblem> problems)
    {
        const int maxCharacters = 1 << 20;
        var root = new YamlMappingNode();
        if (text.Length > maxCharacters)
        {
            problems.Add(new YamlProblem(0, $"the file has more than {maxCharacters} characters"));
            return new StrictYamlMap(root, "", problems);
        }

        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents is [{ RootNode: YamlMappingNode mapping }])
            {
                root = mapping;
            }
            else
            {
                problems.Add(new YamlProblem(1, "the file must be one YAML mapping of keys and values"));
            }
        }
        catch (YamlException error)
        {
            problems.Add(new YamlProblem((int)error.Start.Line, "not valid YAML: " + Quote.Of(error.Message)));
        }

        return new StrictYamlMap(root, "", problems);
    }

    /// <summary>The nested mapping at a key; an empty one (with a problem when required) if it is absent.</summary>
    public StrictYamlMap Map(string key, bool required = true)
    {
        var child = Find(key, required) switch
        {
            YamlMappingNode mapping => new StrictYamlMap(mapping, Path(key), _problems),
            { } other => Wrong(other, key, "a mapping of keys and values", new StrictYamlMap([], Path(key), _problems)),
            null => new StrictYamlMap([], Path(key), _problems),
        };
        _children.Add(child);
        return child;
    }

    /// <summary>A list of mappings.</summary>
    public ImmutableArray<StrictYamlMap> Maps(string key, int minCount, int maxCount)
    {
        if (Find(key, required: minCount > 0) is not { } node) return [];
        if (node is not YamlSequenceNode sequence) return Wrong(node, key, "a list of mappings", ImmutableArray<StrictYamlMap>.Empty);
        CheckCount(sequence, key, minCount, maxCount);
        var maps = ImmutableArray.CreateBuilder<StrictYamlMap>();
        foreach (var item in sequence.Children)
        {
            if (item is YamlMappingNode mapping) maps.Add(new StrictYamlMap(mapping, $"{Path(key)}[{maps.Count}]", _problems));
            else Wrong(item, key, "a mapping of keys and values", 0);
        }

        _children.AddRange(maps);
        return maps.ToImmutable();
    }

    /// <summary>Whether the key is there, with whatever value; asking makes it known.</summary>
    public bool Has(string key)
    {
        _known.Add(key);
        return _node.Children.ContainsKey(new YamlScalarNode(key));
    }

    public string Text(string key, string? fallback = null) => Scalar(key, fallback is null, out var node) ? node.Value ?? "" : fallback ?? "";

    public int WholeNumber(string key, int min, int max, int? fallback = null) =>
        Number(key, min, max, fallback, text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var v) ? v : null, "a whole number");

    public long WholeNumber64(string key, long min, long max, long? fallback = null) =>
        Number(key, min, max, fallback, text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var v) ? v : null, "a whole number");

    public double Number(string key, double min, double max, double? fallback = null) =>
        Number(key, min, max, fallback, ParseDouble, "a number");

    /// <summary>One of an enum's names in camel case.</summary>
    public T OneOf<T>(string key, T? fallback = null)
        where T : struct, Enum
    {
        if (!Scalar(key, fallback is null, out var node)) return fallback ?? default;
        foreach (var name in Enum.GetNames<T>())
        {
            if (string.Equals(name, node.Value, StringComparison.OrdinalIgnoreCase)) return Enum.Parse<T>(name);
        }

        var allowed = string.Join(", ", Enum.GetNames<T>().Select(name => char.ToLowerInvariant(name[0]) + name[1..]));
        return Wrong(node, key, $"one of: {allowed}", fallback ?? default);
    }

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public bool Flag(string key, bool fallback) => OneOf<Answer>(key, fallback ? Answer.True : Answer.False) == Answer.True;

    /// <summary>A list of scalars, each read by <paramref name="parse"/>, which returns <see langword="null"/> for a value it refuses.</summary>
    public ImmutableArray<T> Values<T>(string key, Func<string, T?> parse, string expected, int minCount, int maxCount)
        where T : struct =>
        ListOf(key, text => parse(text) is { } value ? (true, value) : (false, default), expected, minCount, maxCount);

    /// <summary>A list of texts that <paramref name="accept"/> agrees to.</summary>
    public ImmutableArray<string> Texts(string key, Func<string, bool> accept, string expected, int minCount, int maxCount) =>
        ListOf(key, text => (accept(text), text), expected, minCount, maxCount);

    /// <summary>A list of numbers within bounds.</summary>
    public ImmutableArray<double> Numbers(string key, double min, double max, int count) =>
        Values<double>(key, text => ParseDouble(text) is { } v && v >= min && v <= max ? v : null, $"a number from {min} to {max}", count, count);

    /// <summary>Notes a problem with a key's value that only the caller can see.</summary>
    public void Refuse(string key, string message)
    {
        var line = _node.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value.Start.Line : _node.Start.Line;
        _problems.Add(new YamlProblem((int)line, $"{Path(key)}: {message}"));
    }

    /// <summary>Notes every key that was never asked for, here and in the mappings below. Call it after the last key was read.</summary>
    public void RefuseUnknownKeys()
    {
        foreach (var key in _node.Children.Keys)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (!_known.Contains(name))
            {
                _problems.Add(new YamlProblem((int)key.Start.Line, $"{Path(Quote.Of(name))}: unknown key; known are: {string.Join(", ", _known.Order(StringComparer.Ordinal))}"));
            }
        }

        foreach (var child in _children) child.RefuseUnknownKeys();
    }

    private ImmutableArray<T> ListOf<T>(string key, Func<string, (bool Valid, T Value)> parse, string expected, int minCount, int maxCount)
    {
        var node = Find(key, required: minCount > 0);
        if (node is null) return [];
        if (node is not YamlSequenceNode sequence) return Wrong(node, key, "a list, such as [a, b]", ImmutableArray<T>.Empty);
        CheckCount(sequence, key, minCount, maxCount);
        var values = ImmutableArray.CreateBuilder<T>();
        foreach (var item in sequence.Children)
        {
            var (valid, value) = item is YamlScalarNode scalar ? parse(scalar.Value ?? "") : (false, default!);
            if (valid) values.Add(value);
            else Wrong(item, key, expected, 0);
        }

        return values.ToImmutable();
    }

    private void CheckCount(YamlSequenceNode sequence, string key, int minCount, int maxCount)
    {
        if (sequence.Children.Count >= minCount && sequence.Children.Count <= maxCount) return;
        var count = minCount == maxCount ? $"{minCount}" : $"{minCount} to {maxCount}";
        _problems.Add(new YamlProblem((int)sequence.Start.Line, $"{Path(key)}: has {sequence.Children.Count} entries; expected {count}"));
    }

    private T Number<T>(string key, T min, T max, T? fallback, Func<string, T?> parse, string kind)
        where T : struct, IComparable<T>
    {
        if (!Scalar(key, fallback is null, out var node)) return fallback ?? min;
        return parse(node.Value ?? "") is { } value && value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0
            ? value
            : Wrong(node, key, string.Create(CultureInfo.InvariantCulture, $"{kind} from {min} to {max}"), fallback ?? min);
    }

    private bool Scalar(string key, bool required, out YamlScalarNode scalar)
    {
        var node = Find(key, required);
        scalar = node as YamlScalarNode ?? new YamlScalarNode();
        return node is YamlScalarNode || (node is not null && Wrong(node, key, "a single value", false));
    }

    private YamlNode? Find(string key, bool required)
    {
        _known.Add(key);
        if (_node.Children.TryGetValue(new YamlScalarNode(key), out var value)) return value;
        if (required) _problems.Add(new YamlProblem((int)_node.Start.Line, $"{Path(key)}: missing"));
        return null;
    }

    private T Wrong<T>(YamlNode node, string key, string expected, T result)
    {
        var actual = node is YamlScalarNode scalar ? $"'{Quote.Of(scalar.Value)}'" : "a " + node.NodeType.ToString().ToLowerInvariant();
        _problems.Add(new YamlProblem((int)node.Start.Line, $"{Path(key)}: {actual} is not {expected}"));
        return result;
    }

    private string Path(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    private static double? ParseDouble(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;

    /// <summary>YAML's booleans.</summary>
    private enum Answer
    {
        False,
        True,
    }
}
