using FedSeg.Hosting.Storage;

namespace FedSeg.Segmentation;

/// <summary>A small file that others rely on: there whole, or as it was before.</summary>
public static class FlushedFile
{
    /// <summary>
    /// Writes to a name beside it, has the disk confirm the bytes, and renames over the old file. Whoever reads the path sees all of the
    /// one or all of the other; after a power cut the old name may come back, never a part of either.
    /// </summary>
    /// <exception cref="IOException">The disk is full, or it can't be written there.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var unfinished = path + ".new";
        using (var stream = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            stream.Write(bytes);
            Fsync.Flush(stream);
        }

        File.Move(unfinished, path, overwrite: true);
    }
}
