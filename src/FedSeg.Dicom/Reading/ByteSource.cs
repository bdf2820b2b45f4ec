using Microsoft.Win32.SafeHandles;

namespace FedSeg.Dicom.Reading;

/// <summary>Where the bytes of a data set come from. Whoever parses asks for a few bytes at a time; nothing ever asks for a whole file.</summary>
internal abstract class ByteSource(string path, long length) : IDisposable
{
    /// <summary>What messages call the file.</summary>
    public string Path { get; } = path;

    public long Length { get; } = length;

    /// <summary>Some bytes for the parser, which goes forward on one thread; they stay valid. The caller has checked that they lie inside <see cref="Length"/>.</summary>
    public abstract ReadOnlyMemory<byte> Slice(long position, int count);

    /// <summary>Fills <paramref name="destination"/> from <paramref name="position"/> on; any thread may ask.</summary>
    /// <exception cref="DicomException">The file has become shorter since it was opened.</exception>
    public abstract void Read(long position, Span<byte> destination);

    public abstract void Dispose();
}

/// <summary>Bytes that are in memory already; a slice is a slice of them.</summary>
internal sealed class MemorySource(ReadOnlyMemory<byte> bytes, string path) : ByteSource(path, bytes.Length)
{
    public override ReadOnlyMemory<byte> Slice(long position, int count) => bytes.Slice((int)position, count);

    public override void Read(long position, Span<byte> destination) => bytes.Span.Slice((int)position, destination.Length).CopyTo(destination);

    public override void Dispose()
    {
        // The memory belongs to whoever gave it.
    }
}

/// <summary>
/// A file that stays open. It is read, not mapped: when a mapped file shrinks or its disk fails, the operating system ends the whole process, and one bad
/// file must not end a run.
/// </summary>
internal sealed class FileSource(SafeFileHandle handle, string path, long length) : ByteSource(path, length)
{
    private const int WindowBytes = 32 * 1024;

    private ReadOnlyMemory<byte> _window;
    private long _windowStart;

    public override ReadOnlyMemory<byte> Slice(long position, int count)
    {
        if (position < _windowStart || position + count > _windowStart + _window.Length)
        {
            // A new array each time: the elements of the old window keep slices of it.
            var bytes = GC.AllocateUninitializedArray<byte>((int)Math.Max(count, Math.Min(WindowBytes, Length - position)));
            Read(position, bytes);
            (_window, _windowStart) = (bytes, position);
        }

        return _window.Slice((int)(position - _windowStart), count);
    }

    public override void Read(long position, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(handle, destination, position);
            if (read == 0)
            {
                throw new DicomException(DicomFault.Malformed, $"{Path}: the file shrank while it was read. Wait until its transfer is complete.");
            }

            destination = destination[read..];
            position += read;
        }
    }

    public override void Dispose() => handle.Dispose();
}
