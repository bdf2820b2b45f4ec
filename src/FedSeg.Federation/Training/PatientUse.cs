using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Training;

/// <summary>Which patients a round used at a site, by pseudonym (<see cref="PatientRules"/>). Written by the trainer before it begins; stays at the site.</summary>
public sealed record PatientUse
{
    /// <summary>Trained on, or counted in a fingerprint; in ordinal order.</summary>
    public required ImmutableArray<Sha256Digest> Trained { get; init; }

    /// <summary>Only tried on.</summary>
    public required ImmutableArray<Sha256Digest> Scored { get; init; }

    public static PatientUse Of(PatientRules rules, IEnumerable<string> trained, IEnumerable<string> scored) =>
        new() { Trained = Pseudonyms(rules, trained), Scored = Pseudonyms(rules, scored) };

    public bool Includes(Sha256Digest patient) => Trained.Contains(patient) || Scored.Contains(patient);

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, FederationJson.Options);

    /// <exception cref="JsonException">Not such a record.</exception>
    public static PatientUse FromBytes(ReadOnlySpan<byte> bytes) => JsonSerializer.Deserialize<PatientUse>(bytes, FederationJson.Options) switch
    {
        { Trained.IsDefault: false, Scored.IsDefault: false } use => use,
        _ => throw new JsonException("The record of a round's patients is incomplete."),
    };

    private static ImmutableArray<Sha256Digest> Pseudonyms(PatientRules rules, IEnumerable<string> patients) =>
        [.. patients.Distinct(StringComparer.Ordinal).Select(rules.PseudonymOf).OrderBy(patient => patient.ToString(), StringComparer.Ordinal)];
}
