using System.Security.Cryptography;

namespace FedSeg.Ledger.Verifier.Tree;

/// <summary>Hashes of a log's tree. Source: RFC 6962 section 2.1.</summary>
internal static class TreeHash
{
    public const int Bytes = 32;

    /// <summary>The root of no entries: SHA-256 of nothing.</summary>
    public static byte[] Empty { get; } = SHA256.HashData([]);

    /// <summary>SHA-256(0x00 ‖ entry).</summary>
    public static byte[] Leaf(ReadOnlySpan<byte> entry)
    {
        Span<byte> input = new byte[1 + entry.Length];
        entry.CopyTo(input[1..]);
        return SHA256.HashData(input);
    }

    /// <summary>SHA-256(0x01 ‖ left ‖ right).</summary>
    public static byte[] Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        Span<byte> input = stackalloc byte[1 + 2 * Bytes];
        input[0] = 1;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Bytes)..]);
        return SHA256.HashData(input);
    }
}
