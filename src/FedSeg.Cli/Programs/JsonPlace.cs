using System.Globalization;
using System.Text.Json;

namespace FedSeg.Cli.Programs;

/// <summary>
/// A value of a JSON file a person wrote, which knows where it stands, so that what is wrong with it can be said in one line.
/// </summary>
/// <param name="element">The value.</param>
/// <param name="path">Where it stands, such as <c>input.json: rounds[0][2].values</c>.</param>
internal sealed class JsonPlace(JsonElement element, string path)
{
    public bool IsList => element.ValueKind == JsonValueKind.Array;

    public JsonPlace Required(string key) => Optional(key) ?? throw Wrong($"has no '{key}'");

    public JsonPlace? Optional(string key)
    {
        if (element.ValueKind != JsonValueKind.Object) throw Wrong("is not an object");
        return element.TryGetProperty(key, out var value) ? new JsonPlace(value, $"{path}.{key}") : null;
    }

    public void RefuseOtherKeys(params string[] known)
    {
        if (element.ValueKind != JsonValueKind.Object) throw Wrong("is not an object");
        foreach (var property in element.EnumerateObject())
        {
            if (!known.Contains(property.Name)) throw Wrong($"'{property.Name}' is unknown; known are: {string.Join(", ", known)}");
        }
    }

    public IEnumerable<JsonPlace> Items() =>
        IsList ? element.EnumerateArray().Select((item, i) => new JsonPlace(item, $"{path}[{i}]")) : throw Wrong("is not a list");

    public double[] Numbers() => [.. Items().Select(item => item.Number(double.MinValue, double.MaxValue))];

    /// <summary>A finite number within bounds.</summary>
    public double Number(double minimum, double maximum)
    {
        if (element.ValueKind == JsonValueKind.String) throw Wrong($"is '{element.GetString()}'; a finite number is expected");
        if (element.ValueKind != JsonValueKind.Number) throw Wrong("is not a number; a finite number is expected");
        if (!element.TryGetDouble(out var value) || !double.IsFinite(value)) throw Wrong($"{element.GetRawText()} is not finite");
        return value >= minimum && value <= maximum
            ? value
            : throw Wrong(string.Create(CultureInfo.InvariantCulture, $"{value} is not from {minimum} to {maximum}"));
    }

    /// <summary>A whole number within bounds.</summary>
    public int WholeNumber(int minimum, int maximum)
    {
        var value = Number(minimum, maximum);
        return value == Math.Floor(value) ? (int)value : throw Wrong(string.Create(CultureInfo.InvariantCulture, $"{value} is not a whole number"));
    }

    public BadInputException Wrong(string what) => new($"{path}: {what}");
}
