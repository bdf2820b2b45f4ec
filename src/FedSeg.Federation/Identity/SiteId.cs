using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace FedSeg.Federation.Identity;

/// <summary>
/// The federation-wide name of a hospital: 1 to 32 of <c>a-z 0-9 -</c>, starting with a letter or digit.
/// The alphabet keeps a site's name safe as a folder name, a certificate field and a log field.
/// </summary>
[JsonConverter(typeof(ParsableJsonConverter<SiteId>))]
public readonly partial record struct SiteId : IParsable<SiteId>, IComparable<SiteId>
{
    private readonly string? _value;

    private SiteId(string value) => _value = value;

    /// <summary>Reads a site name.</summary>
    /// <exception cref="FormatException">The text breaks the rule above.</exception>
    public static SiteId Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var id)
            ? id
            : throw new FormatException($"'{Quote.Of(s)}' is not a site name: use 1 to 32 of a-z, 0-9 and '-', starting with a letter or digit.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out SiteId result)
    {
        var valid = s is not null && Pattern().IsMatch(s);
        result = valid ? new SiteId(s!) : default;
        return valid;
    }

    /// <summary>Ordinal order: the order in which sites are aggregated.</summary>
    public int CompareTo(SiteId other) => string.CompareOrdinal(_value, other._value);

    public override string ToString() => _value ?? throw new InvalidOperationException("An unset SiteId has no name.");

    public static bool operator <(SiteId left, SiteId right) => left.CompareTo(right) < 0;
    public static bool operator >(SiteId left, SiteId right) => left.CompareTo(right) > 0;
    public static bool operator <=(SiteId left, SiteId right) => left.CompareTo(right) <= 0;
    public static bool operator >=(SiteId left, SiteId right) => left.CompareTo(right) >= 0;

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,31}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
