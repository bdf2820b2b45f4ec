using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace FedSeg.Federation.Identity;

/// <summary>A SHA-256 digest, written as 64 lower-case hexadecimal digits: the address of every model, update and plan.</summary>
[JsonConverter(typeof(ParsableJsonConverter<Sha256Digest>))]
public readonly record struct Sha256Digest : IParsable<Sha256Digest>
{
    // Not as text: a coordinator holds several for every update it ever took, and text takes four times the memory.
    private readonly ulong _first, _second, _third, _fourth;
    private readonly bool _isSet;

    private Sha256Digest(ReadOnlySpan<byte> hash)
    {
        _first = BinaryPrimitives.ReadUInt64BigEndian(hash);
        _second = BinaryPrimitives.ReadUInt64BigEndian(hash[8..]);
        _third = BinaryPrimitives.ReadUInt64BigEndian(hash[16..]);
        _fourth = BinaryPrimitives.ReadUInt64BigEndian(hash[24..]);
        _isSet = true;
    }

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
            ? new Sha256Digest(hash)
            : throw new ArgumentException($"A SHA-256 hash has {SHA256.HashSizeInBytes} bytes, not {hash.Length}.", nameof(hash));

    /// <summary>Reads 64 lower-case hexadecimal digits.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static Sha256Digest Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var digest) ? digest : throw new FormatException($"'{Quote.Of(s)}' is not a SHA-256 digest: expected 64 lower-case hexadecimal digits.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Sha256Digest result)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var valid = s is { Length: 2 * SHA256.HashSizeInBytes }
            && s.All(char.IsAsciiHexDigitLower)
            && Convert.FromHexString(s, hash, out _, out _) == OperationStatus.Done;
        result = valid ? new Sha256Digest(hash) : default;
        return valid;
    }

    /// <summary>The first 12 digits, enough for a person's eye.</summary>
    public string Abbreviated => ToString()[..12];

    public byte[] ToBytes()
    {
        if (!_isSet) throw new InvalidOperationException("An unset digest has no value.");
        var hash = new byte[SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteUInt64BigEndian(hash, _first);
        BinaryPrimitives.WriteUInt64BigEndian(hash.AsSpan(8), _second);
        BinaryPrimitives.WriteUInt64BigEndian(hash.AsSpan(16), _third);
        BinaryPrimitives.WriteUInt64BigEndian(hash.AsSpan(24), _fourth);
        return hash;
    }

    public override string ToString() => Convert.ToHexStringLower(ToBytes());
}
