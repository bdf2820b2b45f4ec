using System.Runtime.InteropServices;

namespace FedSeg.Hosting.Storage;

/// <summary>
/// Has the disk begin with what a large file has got so far, so that the flush at its end finds little left to wait for. Only a hint: what
/// becomes of the bytes is what <see cref="Fsync.Flush"/> says. Compiled into every assembly that writes large files to be relied on.
/// </summary>
/// <param name="stream">The file, written front to back.</param>
internal sealed partial class Writeback(FileStream stream)
{
    /// <summary>Fewer bytes are not worth a call.</summary>
    private const int Step = 8 << 20;

    private long _begun = stream.Length;

    /// <summary>Bytes were written, up to the stream's position.</summary>
    public void Wrote()
    {
        var length = stream.Position - _begun;
        if (length < Step || !OperatingSystem.IsLinux()) return;
        const uint begin = 2; // SYNC_FILE_RANGE_WRITE: waits for nothing, and takes no error away from the flush.
        _ = SyncFileRange(stream.SafeFileHandle, _begun, length, begin);
        _begun = stream.Position;
    }

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncFileRange(SafeHandle file, long offset, long bytes, uint flags);
}
