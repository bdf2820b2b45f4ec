using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using FedSeg.Federation.Identity;

namespace FedSeg.Egress.Review.People;

/// <summary>
/// The human behind an account, so that one with several accounts counts once where two people have to agree: <c>provider:ID</c>, the id by which the hospital's
/// sign-in knows them, or <c>account:NAME</c> where nobody said who it is.
/// </summary>
[JsonConverter(typeof(ParsableJsonConverter<DeskPerson>))]
public readonly record struct DeskPerson : IParsable<DeskPerson>
{
    private const string Provider = "provider:", Account = "account:";
    private readonly string _text;

    private DeskPerson(string text) => _text = text;

    /// <summary>Somebody whom the hospital's sign-in knows by this id.</summary>
    public static DeskPerson OfProvider(string id) => new(Provider + id);

    /// <summary>Somebody of whom no more is known than an account of this site.</summary>
    public static DeskPerson OfAccount(string name) => new(Account + name);

    /// <summary>As <see cref="ToString"/> wrote it.</summary>
    /// <exception cref="FormatException">It did not.</exception>
    public static DeskPerson Parse(string s, IFormatProvider? provider = null) => TryParse(s, provider, out var person) ? person : throw new FormatException("Not a person of the desk.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out DeskPerson result)
    {
        var valid = s is not null && (s.StartsWith(Provider, StringComparison.Ordinal) || s.StartsWith(Account, StringComparison.Ordinal));
        result = valid ? new DeskPerson(s!) : default;
        return valid;
    }

    /// <summary>Whether these are certainly two humans. One of whom only an account is known may be anybody whom the hospital's sign-in knows.</summary>
    public bool IsSurelyAnotherThan(DeskPerson other) => _text != other._text && IsOfProvider == other.IsOfProvider;

    public override string ToString() => _text;

    private bool IsOfProvider => _text.StartsWith(Provider, StringComparison.Ordinal);
}

/// <summary>One of the two people it takes.</summary>
/// <param name="By">The account, as the ledger names it.</param>
/// <param name="Person">Who that is.</param>
public sealed record Approver(string By, DeskPerson Person)
{
    /// <summary>Why somebody can't be the second of two; <see langword="null"/> when they can.</summary>
    public string? Problem(DeskPerson second)
    {
        if (second.IsSurelyAnotherThan(Person)) return null;
        return second == Person
            ? "another person has to approve as well"
            : "nobody said which person the local account is, so these may not be two; give it its person with 'review account set --person'";
    }
}
