using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Weights;

/// <summary>
/// Writes an update front to back in its encoding: for every tensor of the model its step, or which of its values a sparse encoding keeps,
/// then its values in pieces of any size.
/// </summary>
public sealed class UpdateWriter : IDisposable
{
    private readonly SafetensorsWriter _file;
    private readonly UpdateEncoding _encoding;
    private readonly List<float> _steps = [];
    private readonly List<int> _places = [];
    private readonly List<float> _kept = [];
    private LargestMagnitudes? _largest;
    private int _sifted, _written;
    private byte[] _encoded = [];
    private float[] _scaled = [];

    private UpdateWriter(SafetensorsWriter file, UpdateEncoding encoding)
    {
        _file = file;
        _encoding = encoding;
    }

    /// <summary>Starts a new file; an existing one is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The tensors of the model.</param>
    /// <param name="encoding">How their changes are written.</param>
    public static UpdateWriter Create(string path, TensorManifest model, UpdateEncoding encoding) =>
        new(SafetensorsWriter.Create(path, EncodedManifest.Of(model, encoding)), encoding);

    /// <summary>Goes on to the next tensor of the model.</summary>
    /// <param name="step">What its elements count: a power of two, or 0 when every value is 0. Without meaning for float32.</param>
    /// <param name="largest">A sparse encoding's values; without meaning for others.</param>
    /// <exception cref="InvalidOperationException">A sparse encoding without its values.</exception>
    public void BeginTensor(float step, LargestMagnitudes? largest = null)
    {
        EndSparseTensor();
        if (!_encoding.IsSparse()) _steps.Add(step);
        else _largest = largest ?? throw new InvalidOperationException("A sparse encoding has to know which values it keeps.");
    }

    /// <summary>
    /// Takes the tensor's next piece before it is rounded and sets to 0 what the encoding leaves out; the same piece is then to be written.
    /// Does nothing for encodings that leave nothing out.
    /// </summary>
    public void Sift(Span<float> values)
    {
        if (!_encoding.IsSparse()) return;
        _largest!.Keep(values, _sifted, _places);
        _sifted += values.Length;
    }

    /// <summary>
    /// Writes the tensor's next values and leaves in their place what a reader will get: the same for the integer encodings, whose values must lie on the tensor's steps,
    /// the nearest half-precision ones for <see cref="UpdateEncoding.F16"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">More elements than the model has.</exception>
    public void Write(Span<float> values)
    {
        if (_encoding.IsSparse())
        {
            if (_written + values.Length > _sifted) throw new InvalidOperationException(
                "A sparse encoding's values are sifted before they are written.");
            for (var i = _kept.Count; i < _places.Count; i++) _kept.Add(values[_places[i] - _written]);
            _written += values.Length;
            return;
        }

        if (_encoding == UpdateEncoding.F32)
        {
            _file.Write(values);
            return;
        }

        if (_scaled.Length < values.Length) (_scaled, _encoded) = (new float[values.Length], new byte[values.Length * sizeof(short)]);
        var scaled = _scaled.AsSpan(0, values.Length);
        var step = _steps[^1];
        if (step == 0) scaled.Clear();
        else TensorPrimitives.Divide(values, step, scaled);
        _file.WriteElements(Encode(scaled));
        if (_encoding != UpdateEncoding.F16) return;
        TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, Half>(_encoded.AsSpan(0, values.Length * sizeof(short))), values);
        TensorPrimitives.Multiply(values, step, values);
    }

    /// <summary>Ends the file. When this returns, every byte is on the disk.</summary>
    /// <returns>SHA-256 of the whole file.</returns>
    /// <exception cref="InvalidOperationException">Elements are missing.</exception>
    public Sha256Digest Complete()
    {
        EndSparseTensor();
        if (_steps.Count > 0 && _encoding != UpdateEncoding.F32) _file.Write(CollectionsMarshal.AsSpan(_steps));
        return _file.Complete();
    }

    public void Dispose() => _file.Dispose();

    private void EndSparseTensor()
    {
        if (_largest is null) return;
        _file.WriteElements(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_places)));
        _file.Write(CollectionsMarshal.AsSpan(_kept));
        _places.Clear();
        _kept.Clear();
        (_largest, _sifted, _written) = (null, 0, 0);
    }

    private ReadOnlySpan<byte> Encode(ReadOnlySpan<float> scaled)
    {
        if (_encoding == UpdateEncoding.F16) return Convert<Half>(scaled);
        return _encoding == UpdateEncoding.I16 ? Convert<short>(scaled) : Convert<sbyte>(scaled);
    }

    private ReadOnlySpan<byte> Convert<T>(ReadOnlySpan<float> scaled)
        where T : unmanaged, INumberBase<T>
    {
        var elements = MemoryMarshal.Cast<byte, T>(_encoded.AsSpan(0, scaled.Length * Unsafe.SizeOf<T>()));
        TensorPrimitives.ConvertSaturating(scaled, elements);
        return MemoryMarshal.AsBytes(elements);
    }
}
