using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace FedSeg.Federation.Weights;

/// <summary>
/// A model or update on disk, read piece by piece: opening checks the whole header against the file's length, reading takes any
/// range of any tensor, so memory is what the caller asks for, whatever the model's size.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private readonly FileStream _stream;
    private readonly SafetensorsHeader _header;
    private readonly long _payloadBytes;
    private readonly Dictionary<string, (TensorSpec Tensor, long Offset)> _index = new(StringComparer.Ordinal);

    private SafetensorsFile(FileStream stream, SafetensorsHeader header)
    {
        _stream = stream;
        _header = header;
        var offset = header.PayloadOffset;
        foreach (var tensor in header.Tensors)
        {
            _index.Add(tensor.Name, (tensor, offset));
            offset += tensor.ByteCount;
        }

        _payloadBytes = offset - header.PayloadOffset;
    }

    /// <summary>The tensors in file order.</summary>
    public ImmutableArray<TensorSpec> Tensors => _header.Tensors;

    /// <summary>The file's <c>__metadata__</c>; empty for updates.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="SafetensorsException">The header or the file's length is wrong.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static SafetensorsFile Open(string path, SafetensorsLimits? limits = null)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        try
        {
            return new SafetensorsFile(stream, SafetensorsHeader.Read(stream, stream.Length, limits ?? SafetensorsLimits.Default));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads <paramref name="destination"/>.Length elements of a float32 tensor, from element <paramref name="start"/> on.</summary>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="InvalidOperationException">The tensor is not float32.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the tensor.</exception>
    public void Read(string tensorName, long start, Span<float> destination)
    {
        var (tensor, offset) = _index[tensorName];
        if (tensor.Type != ElementType.F32) throw new InvalidOperationException($"Tensor '{tensorName}' is {tensor.Type}.");
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + destination.Length, tensor.ElementCount, nameof(start));

        ReadBytes(MemoryMarshal.AsBytes(destination), offset + start * sizeof(float));
    }

    /// <summary>Reads elements of all tensors, float32 every one, laid end to end in file order, from element <paramref name="start"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the file.</exception>
    public void ReadPayload(long start, Span<float> destination) => ReadPayloadBytes(start * sizeof(float), MemoryMarshal.AsBytes(destination));

    /// <summary>Reads bytes of all tensors laid end to end in file order, whatever their types.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the file.</exception>
    public void ReadPayloadBytes(long start, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + destination.Length, _payloadBytes, nameof(start));
        ReadBytes(destination, _header.PayloadOffset + start);
    }

    /// <summary>Reads a whole float32 tensor.</summary>
    public float[] ReadAll(string tensorName)
    {
        var values = new float[_index[tensorName].Tensor.ElementCount];
        Read(tensorName, 0, values);
        return values;
    }

    public void Dispose() => _stream.Dispose();

    private void ReadBytes(Span<byte> bytes, long position)
    {
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(_stream.SafeFileHandle, bytes, position);
            if (read == 0) throw new SafetensorsException("the file ends inside its tensors");
            position += read;
            bytes = bytes[read..];
        }
    }
}
