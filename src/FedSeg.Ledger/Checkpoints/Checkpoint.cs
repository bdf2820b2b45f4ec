using System.Globalization;
using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Checkpoints;

/// <summary>
/// What a log vouches for at one moment. Source: C2SP tlog-checkpoint v1: three lines, the origin, the size and the root in base64; no extension lines.
/// </summary>
/// <param name="Origin">The log's name, unique in the world: 1 to 128 printable ASCII characters without spaces or <c>+</c>, such as <c>hospital.example/fedseg/egress</c>.</param>
/// <param name="Size">Entries covered.</param>
/// <param name="Root">RFC 6962 tree hash of those entries.</param>
public sealed record Checkpoint(string Origin, long Size, MerkleHash Root)
{
    /// <summary>The text that is signed, every line ended by a newline.</summary>
    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Convert.ToBase64String(Root.Bytes)}\n");

    /// <summary>Whether a name may stand in a checkpoint and in its signature line.</summary>
    public static bool IsOrigin(string name) => name.Length is > 0 and <= 128 && name.All(c => c is > ' ' and < (char)0x7f and not '+');

    /// <summary>Reads the three lines; anything but the one way <see cref="ToText"/> writes them is refused with <see langword="null"/>.</summary>
    internal static Checkpoint? FromText(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length != 4 || !IsOrigin(lines[0])) return null;
        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size)) return null;

        Span<byte> root = stackalloc byte[MerkleHash.Length + 2];
        if (!Convert.TryFromBase64String(lines[2], root, out var length) || length != MerkleHash.Length) return null;

        var checkpoint = new Checkpoint(lines[0], size, MerkleHash.FromBytes(root[..length]));
        return checkpoint.ToText() == text ? checkpoint : null;
    }
}
