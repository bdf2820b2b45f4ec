using System.Runtime.InteropServices;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Aggregation;

/// <summary>A model or an update on disk as a source of weights. Costs a file handle and a header, whatever the model's size.</summary>
public sealed class StoredWeights : IWeightSource, IDisposable
{
    private readonly IDisposable _file;
    private readonly FloatReader _read;

    private StoredWeights(IDisposable file, FloatReader read, long length)
    {
        _file = file;
        _read = read;
        Length = length;
    }

    private delegate void FloatReader(long start, Span<float> destination);

    public long Length { get; }

    /// <summary>Opens a model, or server state, that must hold exactly the tensors of a manifest.</summary>
    /// <exception cref="SafetensorsException">It holds something else.</exception>
    public static StoredWeights Open(string path, TensorManifest manifest)
    {
        var file = SafetensorsFile.Open(path);
        if (manifest.FirstDifference(file.Tensors) is not { } difference) return new StoredWeights(file, file.ReadPayload, manifest.ParameterCount);
        file.Dispose();
        throw new SafetensorsException($"{Path.GetFileName(path)}: {difference}");
    }

    /// <summary>Opens an update to a model of a manifest, in its encoding.</summary>
    /// <exception cref="SafetensorsException">It holds something else.</exception>
    public static StoredWeights OpenUpdate(string path, TensorManifest model, UpdateEncoding encoding)
    {
        var file = UpdateFile.Open(path, model, encoding);
        return new StoredWeights(file, file.Read, file.Length);
    }

    public void Read(long start, Span<double> destination)
    {
        // The floats land in the upper half of the destination and are widened from its front: a double never overtakes the floats still to
        // be read.
        var floats = MemoryMarshal.Cast<double, float>(destination)[destination.Length..];
        _read(start, floats);
        FloatWidths.Widen(floats, destination);
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>A new safetensors file as a sink: every double is rounded to float32 once.</summary>
/// <param name="writer">The file; its owner completes and disposes it.</param>
public sealed class StoredWeightsSink(SafetensorsWriter writer) : IWeightSink
{
    private readonly float[] _piece = new float[1 << 13];

    public void Write(ReadOnlySpan<double> values)
    {
        while (values.Length > 0)
        {
            var count = Math.Min(values.Length, _piece.Length);
            FloatWidths.Narrow(values[..count], _piece);
            writer.Write(_piece.AsSpan(0, count));
            values = values[count..];
        }
    }
}
