using System.Buffers;
using System.Security.Cryptography;

namespace FedSeg.Ledger.Merkle;

/// <summary>
/// A SHA-256 hash of a leaf or node of the log's tree. Source: RFC 6962 section 2.1: a leaf is SHA-256(0x00 ‖ entry), a node SHA-256(0x01 ‖ left ‖ right), so that
/// no entry can pass for a node.
/// </summary>
public readonly struct MerkleHash : IEquatable<MerkleHash>
{
    /// <summary>Bytes of a hash.</summary>
    public const int Length = SHA256.HashSizeInBytes;

    private readonly byte[]? _bytes;

    private MerkleHash(byte[] bytes) => _bytes = bytes;

    /// <summary>The root of a log without entries: SHA-256 of nothing.</summary>
    public static MerkleHash EmptyRoot { get; } = new(SHA256.HashData([]));

    /// <summary>Wraps 32 bytes that are a hash already.</summary>
    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static MerkleHash FromBytes(ReadOnlySpan<byte> hash) =>
        hash.Length == Length ? new MerkleHash(hash.ToArray()) : throw new ArgumentException($"A hash has {Length} bytes, not {hash.Length}.", nameof(hash));

    /// <summary>The hash of an entry's bytes.</summary>
    public static MerkleHash OfLeaf(ReadOnlySpan<byte> entry)
    {
        var input = ArrayPool<byte>.Shared.Rent(1 + entry.Length);
        input[0] = 0x00;
        entry.CopyTo(input.AsSpan(1));
        var hash = new MerkleHash(SHA256.HashData(input.AsSpan(0, 1 + entry.Length)));
        ArrayPool<byte>.Shared.Return(input);
        return hash;
    }

    /// <summary>The hash of a node over its two children.</summary>
    public static MerkleHash OfNode(MerkleHash left, MerkleHash right)
    {
        Span<byte> input = stackalloc byte[1 + 2 * Length];
        input[0] = 0x01;
        left.Bytes.CopyTo(input[1..]);
        right.Bytes.CopyTo(input[(1 + Length)..]);
        return new MerkleHash(SHA256.HashData(input));
    }

    /// <summary>The 32 bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes ?? throw new InvalidOperationException("An unset hash has no bytes.");

    public bool Equals(MerkleHash other) => _bytes.AsSpan().SequenceEqual(other._bytes);

    public override bool Equals(object? obj) => obj is MerkleHash other && Equals(other);

    public override int GetHashCode() => _bytes is null ? 0 : BitConverter.ToInt32(_bytes);

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(Bytes);

    public static bool operator ==(MerkleHash left, MerkleHash right) => left.Equals(right);
    public static bool operator !=(MerkleHash left, MerkleHash right) => !left.Equals(right);
}
