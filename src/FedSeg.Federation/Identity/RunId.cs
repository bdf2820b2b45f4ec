using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace FedSeg.Federation.Identity;

/// <summary>
/// The name of one federated run, given by the coordinator: <c>run-</c> and 1 to 40 of <c>a-z 0-9 -</c>.
/// It appears in folder names on both sides, so nothing else is accepted from the wire.
/// </summary>
[JsonConverter(typeof(ParsableJsonConverter<RunId>))]
public readonly partial record struct RunId : IParsable<RunId>
{
    private readonly string? _value;

    private RunId(string value) => _value = value;

    /// <summary>Reads a run name.</summary>
    /// <exception cref="FormatException">The text breaks the rule above.</exception>
    public static RunId Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var id) ? id : throw new FormatException($"'{Quote.Of(s)}' is not a run name: expected 'run-' and 1 to 40 of a-z, 0-9 and '-'.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out RunId result)
    {
        var valid = s is not null && Pattern().IsMatch(s);
        result = valid ? new RunId(s!) : default;
        return valid;
    }

    public override string ToString() => _value ?? throw new InvalidOperationException("An unset RunId has no name.");

    [GeneratedRegex(@"\Arun-[a-z0-9-]{1,40}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
