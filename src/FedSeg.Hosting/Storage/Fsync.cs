namespace FedSeg.Hosting.Storage;

/// <summary>
/// Has the disk confirm what was written. Compiled into every assembly that writes files to be relied on, since the lowest of them share no
/// other.
/// </summary>
internal static class Fsync
{
    /// <summary>What ends the process. A test may watch instead; the exception then goes on to the caller.</summary>
    internal static Action<string, Exception> End { get; set; } = Environment.FailFast;

    /// <summary>
    /// When this returns, every byte of the file is on the disk. When the disk does not confirm it, the process ends: the kernel has then
    /// dropped what it could not write and may answer the next time that all is well, so nothing this process knows of its files is to be
    /// believed any more. A new start reads what is really there. (PostgreSQL does the same since it learnt this, release notes of 11.2.)
    /// </summary>
    /// <exception cref="IOException">The disk is full before it was asked to confirm anything.</exception>
    public static void Flush(FileStream stream)
    {
        stream.Flush();
        try
        {
            RandomAccess.FlushToDisk(stream.SafeFileHandle);
        }
        // .NET's names for EIO and its kin, and for EBADF and EPERM.
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Distrust(stream.Name, error);
            throw;
        }
    }

    /// <summary>Ends the process because of a flush that failed.</summary>
    public static void Distrust(string path, Exception error) =>
        End($"The disk failed under '{path}'; this process ends, and a new start reads what was stored.", error);
}
