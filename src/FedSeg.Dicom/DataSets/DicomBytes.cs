using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.DataSets;

/// <summary>
/// The bytes of a value or fragment. Short ones are in memory; long ones stay in the file until they are asked for, which works as long as the
/// <see cref="DicomFile"/> is not disposed.
/// </summary>
public readonly struct DicomBytes
{
    private readonly ReadOnlyMemory<byte> _loaded;
    private readonly ByteSource? _source;
    private readonly long _position;

    internal DicomBytes(ReadOnlyMemory<byte> loaded)
    {
        _loaded = loaded;
        Length = loaded.Length;
    }

    internal DicomBytes(ByteSource source, long position, long length)
    {
        _source = source;
        _position = position;
        Length = length;
    }

    public long Length { get; }

    /// <summary>Fills <paramref name="destination"/> with the bytes from <paramref name="offset"/> on; no other copy is made.</summary>
    /// <exception cref="DicomException">The file has become shorter since it was opened.</exception>
    public void CopyTo(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, Length - offset, nameof(destination));
        if (_source is null)
        {
            _loaded.Span.Slice((int)offset, destination.Length).CopyTo(destination);
        }
        else
        {
            _source.Read(_position + offset, destination);
        }
    }

    /// <summary>All bytes at once: a slice where they are in memory, else a fresh copy from the file.</summary>
    /// <exception cref="DicomException">Longer than one buffer can be, or the file has become shorter since it was opened.</exception>
    public ReadOnlyMemory<byte> ToMemory()
    {
        if (_source is null)
        {
            return _loaded;
        }

        if (Length > Array.MaxLength)
        {
            throw new DicomException(DicomFault.LimitExceeded, $"{_source.Path}: a value of {Length} bytes does not fit into one buffer; read it in parts.");
        }

        if (_source is MemorySource)
        {
            return _source.Slice(_position, (int)Length);
        }

        var bytes = GC.AllocateUninitializedArray<byte>((int)Length);
        _source.Read(_position, bytes);
        return bytes;
    }

    /// <summary>The bytes where they are in memory already.</summary>
    internal bool TryGetLoaded(out ReadOnlyMemory<byte> bytes)
    {
        bytes = _source is MemorySource ? _source.Slice(_position, (int)Length) : _loaded;
        return _source is null or MemorySource;
    }
}
