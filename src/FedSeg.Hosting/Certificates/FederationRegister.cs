using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Hosting.Storage;

namespace FedSeg.Hosting.Certificates;

/// <summary>
/// Who belongs to the federation: one entry per certificate the authority signed. The coordinator lets nobody in who is not in
/// it, so taking an entry out (or revoking it) shuts a door that the certificate alone would open. Holds no secret.
/// </summary>
/// <param name="Members">In the order they were signed.</param>
public sealed record FederationRegister(ImmutableArray<RegisterEntry> Members)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        WriteIndented = true,
    };

    public static FederationRegister Empty { get; } = new([]);

    /// <summary>The entry of a certificate, unless there is none or it was revoked.</summary>
    /// <param name="thumbprint">SHA-256 of the certificate, 64 lower-case hexadecimal digits.</param>
    public RegisterEntry? Find(string thumbprint) => Members.FirstOrDefault(entry => entry.Thumbprint == thumbprint && !entry.Revoked);

    /// <summary>Whether a site of this name has a certificate that is not revoked.</summary>
    public bool HasSite(string name) => Members.Any(entry => entry.Kind == MemberKind.Site && entry.Name == name && !entry.Revoked);

    public FederationRegister With(RegisterEntry entry) => new(Members.Add(entry));

    /// <summary>The register without a member's certificates that ended long ago; certificates that live a day would fill it otherwise.</summary>
    public FederationRegister Without(MemberKind kind, string name, DateTimeOffset endedBefore) =>
        new([.. Members.Where(entry => entry.Kind != kind || entry.Name != name || entry.NotAfter >= endedBefore)]);

    /// <summary>The register with every certificate of a member revoked.</summary>
    public FederationRegister Revoke(MemberKind kind, string name) =>
        new([.. Members.Select(entry => entry.Kind == kind && entry.Name == name ? entry with { Revoked = true } : entry)]);

    /// <exception cref="InvalidDataException">The file is not a register.</exception>
    public static FederationRegister Load(string path)
    {
        try
        {
            var register = JsonSerializer.Deserialize<FederationRegister>(File.ReadAllBytes(path), Json);
            // The serializer lets null through as a document and as an element.
            return register is not null && register.Members.All(entry => entry is not null) ? register : throw new JsonException("It is null or has an entry that is null.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{path}' is not a federation register: {error.Message}", error);
        }
    }

    /// <summary>Replaces the file in one step, so that a reader sees the old register or the new one. Durable when this returns: a revocation must not be lost.</summary>
    public void Save(string path) => DurableFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, Json));
}

/// <summary>One signed certificate.</summary>
/// <param name="Kind">Site or person.</param>
/// <param name="Name">The member's name.</param>
/// <param name="Role">A person's role in every study.</param>
/// <param name="Thumbprint">SHA-256 of the certificate, 64 lower-case hexadecimal digits.</param>
/// <param name="NotAfter">When the certificate ends, UTC.</param>
/// <param name="Revoked">Whether it was called back.</param>
/// <param name="Studies">A person's further roles, each in one study.</param>
/// <param name="Person">Who a person is to the provider that gives tokens: with one they are the same person here.</param>
public sealed record RegisterEntry(
    MemberKind Kind,
    string Name,
    PersonRole Role,
    string Thumbprint,
    DateTimeOffset NotAfter,
    bool Revoked = false,
    IReadOnlyList<StudyRole>? Studies = null,
    string? Person = null);

/// <summary>A role in one study.</summary>
/// <param name="Study">The study's name.</param>
/// <param name="Role">What the person is in it.</param>
public sealed record StudyRole(string Study, PersonRole Role);
