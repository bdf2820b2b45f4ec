using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FedSeg.Testing;

/// <summary>The same draws in every run: SHA-256 of a counter.</summary>
public sealed class SeededGenerator(int seed = 1) : RandomNumberGenerator
{
    private long _counter;

    public override void GetBytes(byte[] data)
    {
        for (var start = 0; start < data.Length; start += SHA256.HashSizeInBytes)
        {
            var input = new byte[12];
            BinaryPrimitives.WriteInt32LittleEndian(input, seed);
            BinaryPrimitives.WriteInt64LittleEndian(input.AsSpan(4), _counter++);
            SHA256.HashData(input).AsSpan(0, Math.Min(SHA256.HashSizeInBytes, data.Length - start)).CopyTo(data.AsSpan(start));
        }
    }
}
