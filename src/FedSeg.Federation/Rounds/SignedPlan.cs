using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Rounds;

/// <summary>
/// A plan with the coordinator's word that it asks a site for this round now: ECDSA P-256 with SHA-256, by the key of the coordinator's certificate. Signed anew each time it
/// is handed out, so it outlives neither a restart nor a renewed certificate. The file of it proves to anybody who ordered what.
/// </summary>
public sealed record SignedPlan
{
    /// <summary>The longest that a signature may count.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromDays(1);

    private const int MostBytes = 512 * 1024;

    public required RoundPlan Plan { get; init; }

    /// <summary>Whom it is handed out to.</summary>
    public required SiteId Site { get; init; }

    public required PlanSignature Signature { get; init; }

    /// <summary>SHA-256 of the file.</summary>
    public Sha256Digest Hash => Sha256Digest.Of(ToBytes());

    /// <summary>Signs a plan for one site.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="site">Whom it is handed out to.</param>
    /// <param name="issued">Now; what is below a millisecond is cut off, here and of <paramref name="expires"/>.</param>
    /// <param name="expires">When it may no longer be begun.</param>
    /// <param name="certificate">The coordinator's, DER.</param>
    /// <param name="key">Its key.</param>
    public static SignedPlan Sign(RoundPlan plan, SiteId site, DateTimeOffset issued, DateTimeOffset expires, ReadOnlyMemory<byte> certificate, ECDsa key)
    {
        var unsigned = new SignedPlan
        {
            Plan = plan,
            Site = site,
            Signature = new PlanSignature { Issued = WholeMilliseconds(issued), Expires = WholeMilliseconds(expires), Certificate = certificate, Value = default },
        };
        return unsigned with { Signature = unsigned.Signature with { Value = key.SignData(unsigned.Message(), HashAlgorithmName.SHA256) } };
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote; nothing is believed of it.</summary>
    /// <returns><see langword="null"/> when it is anything else.</returns>
    public static SignedPlan? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MostBytes) return null;
        try
        {
            return JsonSerializer.Deserialize<SignedPlan>(bytes, FederationJson.Options) is { Plan: not null, Signature: not null } read
                && read.ToBytes().AsSpan().SequenceEqual(bytes) ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, FederationJson.Options);

    /// <summary>Whether this key's owner signed exactly this plan for this site and time.</summary>
    public bool IsSignedBy(ECDsa key) => key.VerifyData(Message(), Signature.Value.Span, HashAlgorithmName.SHA256);

    /// <summary>Nothing else that a coordinator signs begins with its first line. One field a line, none of which can hold a line's end.</summary>
    private byte[] Message() => Encoding.ASCII.GetBytes(string.Join('\n', [
        "fedseg/plan/v1",
        Site.ToString(),
        Plan.Study?.ToString() ?? "",
        Plan.Run.ToString(),
        Plan.Round.ToString(CultureInfo.InvariantCulture),
        Sha256Digest.Of(Plan.ToBytes()).ToString(),
        Signature.Issued.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
        Signature.Expires.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
        ""]));

    private static DateTimeOffset WholeMilliseconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
}

/// <summary>Who signed a plan, and for how long that counts.</summary>
public sealed record PlanSignature
{
    /// <summary>That of a plan which nobody signed.</summary>
    public static PlanSignature None { get; } =
        new() { Issued = DateTimeOffset.UnixEpoch, Expires = DateTimeOffset.UnixEpoch, Certificate = default, Value = default };

    public required DateTimeOffset Issued { get; init; }

    /// <summary>From then on nothing may be begun by it.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>The signer's certificate, DER.</summary>
    public required ReadOnlyMemory<byte> Certificate { get; init; }

    /// <summary>IEEE P1363.</summary>
    public required ReadOnlyMemory<byte> Value { get; init; }

    /// <summary>Half of its life: when it is to be signed again, for whoever still needs it.</summary>
    public DateTimeOffset HalfLife => Issued + (Expires - Issued) / 2;
}
