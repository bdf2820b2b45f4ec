using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace FedSeg.Federation.Identity;

/// <summary>
/// The name of a research study, to which runs belong and in which people have roles: 1 to 40 of <c>a-z 0-9 -</c>, starting with a letter or digit. Not an imaging study,
/// which a file's UID names.
/// </summary>
[JsonConverter(typeof(ParsableJsonConverter<StudyId>))]
public readonly partial record struct StudyId : IParsable<StudyId>
{
    private readonly string? _value;

    private StudyId(string value) => _value = value;

    /// <exception cref="FormatException">The text breaks the rule above.</exception>
    public static StudyId Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var id) ? id : throw new FormatException($"'{Quote.Of(s)}' is not a study's name: use 1 to 40 of a-z, 0-9 and '-', starting with a letter or digit.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out StudyId result)
    {
        var valid = s is not null && Pattern().IsMatch(s);
        result = valid ? new StudyId(s!) : default;
        return valid;
    }

    public override string ToString() => _value ?? throw new InvalidOperationException("An unset StudyId has no name.");

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,39}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
