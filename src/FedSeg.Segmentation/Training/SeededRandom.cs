using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FedSeg.Segmentation.Training;

/// <summary>Repeatable chance: one generator per seed, purpose and number, unrelated to every other. Not for anything that must be secret.</summary>
internal static class SeededRandom
{
    public static Random Create(ulong seed, string purpose, long number)
    {
        Span<byte> key = stackalloc byte[16 + Encoding.UTF8.GetMaxByteCount(purpose.Length)];
        BinaryPrimitives.WriteUInt64LittleEndian(key, seed);
        BinaryPrimitives.WriteInt64LittleEndian(key[8..], number);
        var length = 16 + Encoding.UTF8.GetBytes(purpose, key[16..]);
        // Random takes 31 bits; a collision of two purposes would repeat draws, not reveal anything.
        return new Random(BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(key[..length])) & int.MaxValue);
    }

    public static double Uniform(this Random random, double min, double max) => min + (max - min) * random.NextDouble();

    /// <summary>True with the given probability.</summary>
    public static bool Chance(this Random random, double probability) => random.NextDouble() < probability;

    /// <summary>A draw below 1 in half of the cases, above 1 in the other half, uniform on each side.</summary>
    public static double Factor(this Random random, double min, double max) =>
        random.Chance(0.5) ? random.Uniform(min, 1) : random.Uniform(1, max);

    /// <summary>A standard normal draw (Box and Muller 1958).</summary>
    public static double Gaussian(this Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
