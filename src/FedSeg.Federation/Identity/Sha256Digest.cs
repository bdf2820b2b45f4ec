using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace FedSeg.Federation.Identity;

/// <summary>A SHA-256 digest, written as 64 lower-case hexadecimal digits: the address of every model, update and plan.</summary>
[JsonConverter(typeof(ParsableJsonConverter<Sha256Digest>))]
public readonly record struct Sha256Digest : IParsable<Sha256Digest>
{
    private readonly string? _hex;

    private Sha256Digest(string hex) => _hex = hex;

    /// <summary>The digest of bytes already in memory.</summary>
    public static Sha256Digest Of(ReadOnlySpan<byte> bytes) => FromHash(SHA256.HashData(bytes));

    /// <summary>The digest of everything left in <paramref name="stream"/>.</summary>
    public static async Task<Sha256Digest> OfAsync(Stream stream, CancellationToken cancellationToken) =>
        FromHash(await SHA256.HashDataAsync(stream, cancellationToken));

    /// <summary>The digest of a file's bytes.</summary>
    public static async Task<Sha256Digest> OfFileAsync(string path, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 17, FileOptions.SequentialScan);
        return await OfAsync(stream, cancellationToken);
    }

    /// <summary>Wraps the 32 bytes a hash function returned.</summary>
    public static Sha256Digest FromHash(ReadOnlySpan<byte> hash) =>
        hash.Length == SHA256.HashSizeInBytes
            ? new Sha256Digest(Convert.ToHexStringLower(hash))
            : throw new ArgumentException($"A SHA-256 hash has {SHA256.HashSizeInBytes} bytes, not {hash.Length}.", nameof(hash));

    /// <summary>Reads 64 lower-case hexadecimal digits.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static Sha256Digest Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var digest) ? digest : throw new FormatException($"'{Quote.Of(s)}' is not a SHA-256 digest: expected 64 lower-case hexadecimal digits.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Sha256Digest result)
    {
        var valid = s is { Length: 2 * SHA256.HashSizeInBytes } && s.All(char.IsAsciiHexDigitLower);
        result = valid ? new Sha256Digest(s!) : default;
        return valid;
    }

    /// <summary>The first 12 digits, enough for a person's eye.</summary>
    public string Abbreviated => ToString()[..12];

    public byte[] ToBytes() => Convert.FromHexString(ToString());

    public override string ToString() => _hex ?? throw new InvalidOperationException("An unset digest has no value.");
}
