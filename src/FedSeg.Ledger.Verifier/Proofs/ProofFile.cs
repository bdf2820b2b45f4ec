using System.Globalization;
using System.Text;
using FedSeg.Ledger.Verifier.Notes;
using FedSeg.Ledger.Verifier.Tree;

namespace FedSeg.Ledger.Verifier.Proofs;

/// <summary>A C2SP tlog-proof v1: an entry's bytes (the <c>extra</c> line), its index, its path, and the signed checkpoint.</summary>
internal sealed record ProofFile(byte[]? Entry, long Index, IReadOnlyList<byte[]> Path, SignedNote Note, LogState State)
{
    private const string Header = "c2sp.org/tlog-proof@v1";
    private const int MaxPath = 63;

    /// <returns><see langword="null"/> when the file is not a proof to its last byte.</returns>
    public static ProofFile? Parse(ReadOnlySpan<byte> bytes)
    {
        var blank = bytes.IndexOf("\n\n"u8);
        if (blank < 0 || SignedNote.Parse(bytes[(blank + 2)..]) is not { } note || LogState.Parse(note.Text) is not { } state) return null;

        var lines = new Queue<string>(Encoding.UTF8.GetString(bytes[..blank]).Split('\n'));
        if (lines.Dequeue() != Header) return null;
        byte[]? entry = null;
        if (lines.TryPeek(out var line) && line.StartsWith("extra ", StringComparison.Ordinal))
        {
            if ((entry = Base64(lines.Dequeue()["extra ".Length..])) is null) return null;
        }

        if (!lines.TryDequeue(out line) || !line.StartsWith("index ", StringComparison.Ordinal)) return null;
        var digits = line["index ".Length..];
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index.ToString(CultureInfo.InvariantCulture) != digits) return null;

        var path = lines.Select(Base64).ToList();
        if (path.Count > MaxPath || path.Any(hash => hash is not { Length: TreeHash.Bytes })) return null;
        return new ProofFile(entry, index, path!, note, state);
    }

    private static byte[]? Base64(string text)
    {
        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, bytes, out var length)) return null;
        return Convert.ToBase64String(bytes.AsSpan(0, length)) == text ? bytes[..length] : null;
    }
}
