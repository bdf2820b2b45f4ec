using System.Runtime.InteropServices;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Aggregation;

/// <summary>A safetensors file as a source of weights. Costs a file handle and a header, whatever the model's size.</summary>
public sealed class StoredWeights : IWeightSource, IDisposable
{
    private readonly SafetensorsFile _file;

    private StoredWeights(SafetensorsFile file, long length)
    {
        _file = file;
        Length = length;
    }

    public long Length { get; }

    /// <summary>Opens a file that must hold exactly the tensors of a manifest.</summary>
    /// <exception cref="SafetensorsException">It holds something else.</exception>
    public static StoredWeights Open(string path, TensorManifest manifest)
    {
        var file = SafetensorsFile.Open(path);
        if (manifest.FirstDifference(file.Tensors) is not { } difference) return new StoredWeights(file, manifest.ParameterCount);
        file.Dispose();
        throw new SafetensorsException($"{Path.GetFileName(path)}: {difference}");
    }

    public void Read(long start, Span<double> destination)
    {
        // The floats land in the upper half of the destination and are widened from its front: a double never overtakes the floats still to
        // be read.
        var floats = MemoryMarshal.Cast<double, float>(destination)[destination.Length..];
        _file.ReadPayload(start, floats);
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
