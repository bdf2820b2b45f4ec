using System.Text;

namespace FedSeg.Ledger.Verifier.Notes;

/// <summary>A C2SP signed note: a text and the lines of those who signed it.</summary>
/// <param name="Text">What was signed, every line ended by a newline.</param>
/// <param name="Signatures">In the note's order.</param>
internal sealed record SignedNote(string Text, IReadOnlyList<SignatureLine> Signatures)
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>Reads a note that is all of <paramref name="bytes"/>; <see langword="null"/> when it is not one.</summary>
    public static SignedNote? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxBytes || !TryText(bytes, out var note)) return null;
        var blank = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (blank < 0 || !note.EndsWith('\n')) return null;

        var lines = note[(blank + 2)..^1].Split('\n').Select(SignatureLine.Parse).ToList();
        return lines.Contains(null) ? null : new SignedNote(note[..(blank + 1)], lines!);
    }

    /// <summary>Where the note that begins <paramref name="bytes"/> ends: behind the last signature line; <see langword="null"/> when it has none that is whole.</summary>
    public static int? Length(ReadOnlySpan<byte> bytes)
    {
        var blank = bytes.IndexOf("\n\n"u8);
        if (blank < 0) return null;
        var start = blank + 2;
        var end = start;
        while (bytes[end..].StartsWith("— "u8) && bytes[end..].IndexOf((byte)'\n') is >= 0 and var newline) end += newline + 1;
        return end == start ? null : end;
    }

    private static bool TryText(ReadOnlySpan<byte> bytes, out string text)
    {
        text = Encoding.UTF8.GetString(bytes);
        // Bytes that are no UTF-8 come back as others.
        return Encoding.UTF8.GetBytes(text).AsSpan().SequenceEqual(bytes);
    }
}

/// <summary>One signature line: <c>— name base64(key id ‖ signature)</c>.</summary>
/// <param name="Name">Who signed.</param>
/// <param name="KeyId">Four bytes that tell the key.</param>
/// <param name="Blob">What follows them.</param>
internal sealed record SignatureLine(string Name, byte[] KeyId, byte[] Blob)
{
    public static SignatureLine? Parse(string line)
    {
        if (line.Split(' ') is not ["—", { Length: > 0 } name, var base64]) return null;
        var bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, bytes, out var length) || length <= 4 || Convert.ToBase64String(bytes[..length]) != base64) return null;
        return new SignatureLine(name, bytes[..4], bytes[4..length]);
    }
}
