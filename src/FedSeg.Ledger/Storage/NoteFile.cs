using System.Text;
using FedSeg.Hosting.Storage;
using FedSeg.Ledger.Checkpoints;

namespace FedSeg.Ledger.Storage;

/// <summary>A file of signed notes, one after the other, that only grows.</summary>
internal static class NoteFile
{
    /// <summary>Appends a note at an offset; whatever a torn append left there is overwritten. On the disk when this returns.</summary>
    public static void Append(string path, long offset, string note)
    {
        // A file that had notes and is gone is damage, not a new one.
        using var stream = new FileStream(path, offset == 0 ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        stream.SetLength(offset);
        stream.Position = offset;
        stream.Write(Encoding.UTF8.GetBytes(note));
        DurableFile.Flush(stream);
    }

    /// <summary>The last whole note and the offset behind it; (<see langword="null"/>, 0) when there is none. A torn one at the end is passed over.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cosigned">Whether a note is whole only with a witness's line.</param>
    public static (SignedCheckpoint? Note, long End) ReadLast(string path, bool cosigned)
    {
        if (!File.Exists(path)) return (null, 0);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var window = new byte[(int)Math.Min(stream.Length, 3 * SignedCheckpoint.MaxBytes)];
        stream.Position = stream.Length - window.Length;
        window = window[..stream.ReadAtLeast(window, window.Length, throwOnEndOfStream: false)];
        var start = stream.Position - window.Length;

        // A note's only empty line stands before its signatures; the three lines above it begin the note.
        for (var end = window.Length; Blank(window.AsSpan(0, end)) is >= 0 and var blank; end = blank + 1)
        {
            var first = blank + 1;
            for (var line = 0; line < SignedCheckpoint.TextLines && first > 0; line++) first = window.AsSpan(0, first - 1).LastIndexOf((byte)'\n') + 1;
            if (SignedCheckpoint.NoteLength(window.AsSpan(first)) is not { } length) continue;
            var note = SignedCheckpoint.Parse(Encoding.UTF8.GetString(window, first, length));
            if (note is not null && cosigned == note.Cosignatures.Length > 0) return (note, start + first + length);
        }

        return (null, 0);
    }

    private static int Blank(ReadOnlySpan<byte> bytes) => bytes.LastIndexOf("\n\n"u8);
}
