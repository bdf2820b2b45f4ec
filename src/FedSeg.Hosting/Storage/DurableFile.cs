using System.Runtime.InteropServices;

namespace FedSeg.Hosting.Storage;

/// <summary>Writes files so that a power cut leaves either the old state or the new one, never a mixture.</summary>
public static partial class DurableFile
{
    /// <summary>Writes a small file: to a temporary name, flushed, then renamed over the old one. Durable when this returns.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".new";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            stream.Write(bytes);
            Flush(stream);
        }

        Publish(temporary, path);
    }

    /// <summary>When this returns, every byte of the file is on the disk. When the disk fails to confirm that, the process ends.</summary>
    /// <exception cref="IOException">The disk is full before it was asked to confirm anything.</exception>
    public static void Flush(FileStream stream) => Fsync.Flush(stream);

    /// <summary>Ends the process: what its disk said of a file can't be believed any more.</summary>
    public static void Distrust(string path, Exception error) => Fsync.Distrust(path, error);

    /// <summary>Renames a file whose bytes are already flushed; the new name is durable when this returns.</summary>
    public static void Publish(string temporaryPath, string path)
    {
        File.Move(temporaryPath, path, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Like <see cref="Publish"/>, for a file that must not replace another.</summary>
    /// <exception cref="IOException">There is one of that name.</exception>
    public static void PublishFirst(string temporaryPath, string path)
    {
        File.Move(temporaryPath, path);
        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>
    /// Renames a folder to where none is yet, in one step for everybody who looks. The names in it and its own are durable when this
    /// returns; the bytes of its files are its writer's business.
    /// </summary>
    /// <exception cref="IOException">There is something already, or the two paths are on different file systems.</exception>
    public static void PublishDirectory(string temporaryPath, string path)
    {
        FlushDirectory(temporaryPath);
        Directory.Move(temporaryPath, path);
        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        // The old name's end as well: after a power cut a folder must not be at both places.
        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(temporaryPath))!);
    }

    /// <summary>
    /// Makes a folder unless it is there. A new one's name is durable when this returns: a file flushed inside a folder whose own name was
    /// lost is lost with it.
    /// </summary>
    /// <returns>The folder's full path.</returns>
    public static string CreateDirectory(string path)
    {
        var directory = new DirectoryInfo(path);
        if (directory.Exists) return directory.FullName;
        if (directory.Parent is { } parent) CreateDirectory(parent.FullName);
        directory.Create();
        if (directory.Parent is { } above) FlushDirectory(above.FullName);
        return directory.FullName;
    }

    /// <summary>Makes the names in a folder durable. Windows journals them with the file, so there is nothing to do.</summary>
    /// <exception cref="IOException">The folder can't be opened; what was just renamed must not be relied on.</exception>
    private static void FlushDirectory(string directory)
    {
        if (OperatingSystem.IsWindows()) return;
        const int readOnly = 0;
        var descriptor = Open(directory, readOnly);
        if (descriptor < 0) throw new IOException($"Could not open folder '{directory}' to flush it: error {Marshal.GetLastPInvokeError()}.");
        try
        {
            if (FsyncFolder(descriptor) == 0) return;
            var error = new IOException($"Could not flush folder '{directory}': error {Marshal.GetLastPInvokeError()}.");
            Distrust(directory, error);
            throw error;
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FsyncFolder(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
