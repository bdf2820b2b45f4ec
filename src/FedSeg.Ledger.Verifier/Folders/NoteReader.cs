using System.Text;
using FedSeg.Ledger.Verifier.Notes;

namespace FedSeg.Ledger.Verifier.Folders;

/// <summary>Reads a file of signed notes, one after the other. A missing file has none.</summary>
internal sealed class NoteReader(string path) : IDisposable
{
    private const int Window = 8192;
    private readonly FileStream? _file =
        File.Exists(path) ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, Window) : null;

    /// <summary>Whether bytes are left that are no whole note.</summary>
    public bool Torn => _file is not null && _file.Position < _file.Length;

    /// <summary>The next note; <see langword="null"/> when there is none that is whole.</summary>
    public byte[]? Next()
    {
        var note = Peek();
        if (note is not null) _file!.Position += note.Length;
        return note;
    }

    /// <summary>The text of the next note, without its signatures.</summary>
    public string? PeekText() => Peek() is { } note ? Encoding.UTF8.GetString(note.AsSpan(0, note.AsSpan().IndexOf("\n\n"u8) + 1)) : null;

    public void Dispose() => _file?.Dispose();

    private byte[]? Peek()
    {
        if (_file is null) return null;
        var start = _file.Position;
        var window = new byte[Window];
        var read = _file.ReadAtLeast(window, window.Length, throwOnEndOfStream: false);
        _file.Position = start;
        return SignedNote.Length(window.AsSpan(0, read)) is { } length ? window[..length] : null;
    }
}
