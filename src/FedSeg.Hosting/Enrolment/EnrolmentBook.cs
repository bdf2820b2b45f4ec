using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Storage;

namespace FedSeg.Hosting.Enrolment;

/// <summary>
/// Enrolment of sites by single-use token, as a file in the issuing authority's folder: the operator's command and the coordinator read and change it in turns. Whoever
/// holds a token can only ask; a certificate is signed when a person has confirmed the thumbprint of the key that asks. Every change is durable when its method returns.
/// </summary>
public sealed class EnrolmentBook(string directory, TimeProvider time)
{
    public static readonly TimeSpan TokenLife = TimeSpan.FromMinutes(15), LongestWait = TimeSpan.FromHours(24);

    // An answer that was lost on the way is given again.
    private static readonly TimeSpan Handover = TimeSpan.FromMinutes(2), KeptAfterItsEnd = TimeSpan.FromDays(30);

    private const int SecretBytes = 32, LongestRequest = 4096, LongestToken = 128;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
    };

    private readonly string _path = Path.Combine(directory, "enrolments.json");

    /// <summary>Requests that wait for a person.</summary>
    public IReadOnlyList<EnrolmentTicket> Waiting => [.. Read().Where(IsWaiting)];

    /// <summary>Makes a token for a site, good for <see cref="TokenLife"/>.</summary>
    /// <param name="site">The site's name.</param>
    /// <param name="key">Thumbprint of the one key it is for, when that is known.</param>
    /// <returns>256 random bits, Base64Url.</returns>
    public string MakeToken(string site, string? key)
    {
        var token = System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        var now = time.GetUtcNow();
        using var turn = FolderTurn.Take(directory);
        Write([.. Read().Where(ticket => ticket.Ends > now - KeptAfterItsEnd), new EnrolmentTicket { Site = site, TokenHash = HashOf(token), Ends = now + TokenLife, Key = key }]);
        return token;
    }

    /// <summary>A token comes with a request for a certificate. The same one may come again to ask whether it was confirmed.</summary>
    /// <param name="site">Who it says it is.</param>
    /// <param name="token">Not yet believed.</param>
    /// <param name="requestPem">Not yet believed.</param>
    public EnrolmentAnswer Present(string site, string token, string requestPem)
    {
        if (token.Length > LongestToken) return new EnrolmentAnswer.Refused(EnrolmentRefusal.UnknownToken, null);
        using var turn = FolderTurn.Take(directory);
        var tickets = Read();
        var hash = HashOf(token);
        if (tickets.FirstOrDefault(ticket => ticket.TokenHash == hash) is not { } ticket) return new EnrolmentAnswer.Refused(EnrolmentRefusal.UnknownToken, null);
        var now = time.GetUtcNow();
        var key = ReadKey(requestPem);
        if (Refusal(ticket, site, key, now) is { } reason) return new EnrolmentAnswer.Refused(reason, ticket.Site);
        if (ticket.Certificate is { } certificate)
        {
            if (ticket.CollectedAt is null) Write(tickets.Replace(ticket, ticket with { CollectedAt = now }));
            return new EnrolmentAnswer.Enrolled(certificate, IsNew: ticket.CollectedAt is null);
        }

        if (ticket.PresentedAt is null) Write(tickets.Replace(ticket, ticket with { Key = key, Request = requestPem, PresentedAt = now }));
        return new EnrolmentAnswer.Waiting(key!, IsNew: ticket.PresentedAt is null);
    }

    /// <summary>A person has compared the thumbprint with what the site shows: signs the site's request and calls back what the site had from this authority before.</summary>
    /// <returns>Whether a request of this site with this key waits.</returns>
    public bool Confirm(FederationAuthority authority, string site, string key, TimeSpan validity)
    {
        EnrolmentTicket ticket;
        using (FolderTurn.Take(directory))
        {
            if (Read().FirstOrDefault(ticket => IsWaiting(ticket) && ticket.Site == site && ticket.Key == key) is not { } waiting) return false;
            ticket = waiting;
        }

        authority.Revoke(MemberKind.Site, site);
        var certificate = authority.SignMember(ticket.Request!, MemberKind.Site, site, PersonRole.None, validity);
        using (FolderTurn.Take(directory)) Write(Read().Replace(ticket, ticket with { Certificate = certificate }));
        return true;
    }

    private static EnrolmentRefusal? Refusal(EnrolmentTicket ticket, string site, string? key, DateTimeOffset now)
    {
        if (ticket.Site != site) return EnrolmentRefusal.OtherSite;
        if (key is null) return EnrolmentRefusal.BadRequest;
        if (ticket.CollectedAt is { } collected && (now > collected + Handover || ticket.Key != key)) return EnrolmentRefusal.Used;
        if (ticket.Key is not null && ticket.Key != key) return EnrolmentRefusal.OtherKey;
        return now > (ticket.PresentedAt is { } presented ? presented + LongestWait : ticket.Ends) ? EnrolmentRefusal.TooLate : null;
    }

    private bool IsWaiting(EnrolmentTicket ticket) =>
        ticket is { PresentedAt: { } presented, Certificate: null } && time.GetUtcNow() <= presented + LongestWait;

    /// <summary>Thumbprint of a request's key, or none when it is not a P-256 key that signed its own request.</summary>
    private static string? ReadKey(string requestPem)
    {
        if (requestPem.Length > LongestRequest) return null;
        try
        {
            var request = KeyFiles.ReadRequest(requestPem);
            using var key = request.PublicKey.GetECDsaPublicKey();
            return key is { KeySize: 256 } ? KeyFiles.Thumbprint(request.PublicKey) : null;
        }
        catch (Exception error) when (error is InvalidDataException or CryptographicException)
        {
            return null;
        }
    }

    private static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private ImmutableList<EnrolmentTicket> Read()
    {
        if (!File.Exists(_path)) return [];
        try
        {
            return JsonSerializer.Deserialize<ImmutableList<EnrolmentTicket>>(File.ReadAllBytes(_path), Json) is { } tickets && tickets.All(ticket => ticket is not null)
                ? tickets
                : throw new JsonException("It is null or has an entry that is null.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{_path}' is not a list of enrolments: {error.Message}", error);
        }
    }

    private void Write(ImmutableList<EnrolmentTicket> tickets) => DurableFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(tickets, Json));
}
