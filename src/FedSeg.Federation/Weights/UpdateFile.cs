using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FedSeg.Federation.Weights;

/// <summary>An update on disk, read as float32 whatever its encoding: all tensors of the model laid end to end, in any range.</summary>
public sealed class UpdateFile : IDisposable
{
    private readonly SafetensorsFile _file;
    private readonly UpdateEncoding _encoding;
    private readonly long[] _ends;
    private readonly float[] _steps;
    private readonly SparseTensors? _sparse;
    private byte[] _encoded = [];

    private UpdateFile(SafetensorsFile file, TensorManifest model, UpdateEncoding encoding)
    {
        _file = file;
        _encoding = encoding;
        _ends = new long[model.Tensors.Length];
        for (var i = 0; i < _ends.Length; i++) _ends[i] = (i == 0 ? 0 : _ends[i - 1]) + model.Tensors[i].ElementCount;
        _sparse = encoding.IsSparse() ? new SparseTensors(file, model, encoding) : null;
        _steps = encoding == UpdateEncoding.F32 || _sparse is not null ? [] : file.ReadAll(EncodedManifest.StepsName);
    }

    /// <summary>Elements of all the model's tensors together.</summary>
    public long Length => _ends[^1];

    /// <summary>Opens a file that must hold exactly the encoded tensors of a model, and no metadata.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The tensors of the model.</param>
    /// <param name="encoding">How their changes are written.</param>
    /// <exception cref="SafetensorsException">
    /// It holds something else, a step is neither 0 nor a power of two, or the places of a sparse update are not ascending within their
    /// tensor.
    /// </exception>
    public static UpdateFile Open(string path, TensorManifest model, UpdateEncoding encoding)
    {
        var file = SafetensorsFile.Open(path);
        try
        {
            if (file.Metadata.Count > 0) throw new SafetensorsException("an update carries no metadata");
            if (EncodedManifest.Of(model, encoding).FirstDifference(file.Tensors) is { } difference) throw new SafetensorsException(difference);
            var update = new UpdateFile(file, model, encoding);
            update._sparse?.Check();
            return update._steps.All(IsStep) ? update : throw new SafetensorsException("a step is neither 0 nor a power of two");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads <paramref name="destination"/>.Length changes from element <paramref name="start"/> on. One call at a time.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the file.</exception>
    public void Read(long start, Span<float> destination)
    {
        if (_encoding == UpdateEncoding.F32)
        {
            _file.ReadPayload(start, destination);
            return;
        }

        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + destination.Length, Length, nameof(start));
        var tensor = Array.FindIndex(_ends, end => end > start);
        if (_sparse is null) Decode(start, destination);
        while (destination.Length > 0)
        {
            var count = (int)Math.Min(destination.Length, _ends[tensor] - start);
            if (_sparse is null) TensorPrimitives.Multiply(destination[..count], _steps[tensor], destination[..count]);
            else _sparse.Read(tensor, start - (tensor == 0 ? 0 : _ends[tensor - 1]), destination[..count]);
            destination = destination[count..];
            start += count;
            tensor++;
        }
    }

    public void Dispose() => _file.Dispose();

    private void Decode(long start, Span<float> destination)
    {
        if (_encoding == UpdateEncoding.F16) Decode<Half>(start, destination);
        else if (_encoding == UpdateEncoding.I16) Decode<short>(start, destination);
        else Decode<sbyte>(start, destination);
    }

    private void Decode<T>(long start, Span<float> destination)
        where T : unmanaged, INumberBase<T>
    {
        if (_encoded.Length < destination.Length * Unsafe.SizeOf<T>()) _encoded = new byte[destination.Length * Unsafe.SizeOf<T>()];
        var elements = _encoded.AsSpan(0, destination.Length * Unsafe.SizeOf<T>());
        _file.ReadPayloadBytes(start * Unsafe.SizeOf<T>(), elements);
        TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, T>(elements), destination);
    }

    private static bool IsStep(float step) => step == 0 || (float.IsFinite(step) && step > 0 && BitOperations.IsPow2(Significand(step)));

    /// <summary>With the leading one, which subnormals don't have.</summary>
    private static uint Significand(float step)
    {
        var bits = BitConverter.SingleToUInt32Bits(step);
        return (bits & 0x007F_FFFF) | (float.IsSubnormal(step) ? 0 : 0x0080_0000u);
    }
}
