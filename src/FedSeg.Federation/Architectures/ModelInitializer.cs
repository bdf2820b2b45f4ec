using System.Buffers.Binary;
using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Architectures;

/// <summary>
/// Writes the first global model of a run from a seed alone: the same bytes on any machine, because it draws from SHA-256 in counter mode
/// and uses only exactly rounded arithmetic. Weights are He-uniform for leaky ReLU 0.01 (He et al. 2015, eq. 10, uniform form), norm scales
/// 1, biases 0; the norm that closes a residual block starts at 0, so that the block starts as its skip (Goyal et al. 2017, §5.1).
/// </summary>
public static class ModelInitializer
{
    private const double LeakySlope = 0.01;

    /// <summary>Writes the model to <paramref name="path"/>; durable when this returns.</summary>
    /// <returns>SHA-256 of the file.</returns>
    public static Sha256Digest Write(string path, TensorManifest manifest, ulong seed, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var writer = SafetensorsWriter.Create(path, manifest, metadata);
        for (var index = 0; index < manifest.Tensors.Length; index++)
        {
            var tensor = manifest.Tensors[index];
            var values = new float[tensor.ElementCount];
            if (tensor.Shape.Length > 1)
            {
                FillHeUniform(values, FanIn(tensor), seed, index);
            }
            else if (tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal) && !ClosesResidualBlock(tensor))
            {
                Array.Fill(values, 1f);
            }

            writer.Write(values);
        }

        return writer.Complete();
    }

    /// <summary>
    /// Inputs that feed one output: input channels times kernel volume; a transposed kernel of stride = size feeds each output once per
    /// input channel.
    /// </summary>
    private static double FanIn(TensorSpec tensor) =>
        tensor.Name.EndsWith("up.weight", StringComparison.Ordinal)
            ? tensor.Shape[0]
            : tensor.Shape.Skip(1).Aggregate(1.0, (product, extent) => product * extent);

    private static bool ClosesResidualBlock(TensorSpec tensor) => tensor.Name.EndsWith(".second.norm.weight", StringComparison.Ordinal);

    private static void FillHeUniform(Span<float> values, double fanIn, ulong seed, int tensorIndex)
    {
        var bound = Math.Sqrt(6.0 / ((1 + LeakySlope * LeakySlope) * fanIn));
        Span<byte> counter = stackalloc byte[24];
        Span<byte> block = stackalloc byte[SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(counter, seed);
        BinaryPrimitives.WriteInt64LittleEndian(counter[8..], tensorIndex);
        const int valuesPerBlock = SHA256.HashSizeInBytes / sizeof(uint);
        for (var i = 0; i < values.Length; i++)
        {
            var inBlock = i % valuesPerBlock;
            if (inBlock == 0)
            {
                BinaryPrimitives.WriteInt64LittleEndian(counter[16..], i / valuesPerBlock);
                SHA256.HashData(counter, block);
            }

            var unit = (BinaryPrimitives.ReadUInt32LittleEndian(block[(inBlock * sizeof(uint))..]) + 0.5) / 4294967296.0;
            values[i] = (float)((2 * unit - 1) * bound);
        }
    }
}
