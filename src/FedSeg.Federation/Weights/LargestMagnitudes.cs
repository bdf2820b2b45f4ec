using System.Runtime.InteropServices;

namespace FedSeg.Federation.Weights;

/// <summary>
/// Which values of a tensor are its k largest in magnitude; of equal ones those that come first. Found by counting in two passes over the
/// file, so memory does not grow with the tensor and every machine finds the same. A value that is not a number counts as larger than any
/// other: what must not pass has to be seen.
/// </summary>
public sealed class LargestMagnitudes
{
    private const uint Magnitude = 0x7FFF_FFFF;

    /// <summary>
    /// Without its sign, a float32 has 31 bits, and they are ordered as the magnitudes are: counted by the upper 16, then by the rest.
    /// </summary>
    private const int LowerBits = 15;

    private readonly uint _least;
    private long _equal;

    private LargestMagnitudes(uint least, long equal) => (_least, _equal) = (least, equal);

    /// <summary>Looks at every value of a tensor twice.</summary>
    /// <param name="source">A file of float32 tensors.</param>
    /// <param name="tensor">One of them.</param>
    /// <param name="count">k, from 1 to the tensor's elements.</param>
    /// <param name="chunk">Takes the values piece by piece.</param>
    /// <param name="cancellationToken">Stops between pieces.</param>
    public static LargestMagnitudes Find(SafetensorsFile source, TensorSpec tensor, int count, float[] chunk,
        CancellationToken cancellationToken)
    {
        var (upper, above) = Descend(count, 1 << (31 - LowerBits), bits => bits >> LowerBits);
        var (lower, aboveThose) = Descend(
            count - above, 1 << LowerBits, bits => bits >> LowerBits == upper ? bits & ((1u << LowerBits) - 1) : uint.MaxValue);
        return new LargestMagnitudes((upper << LowerBits) | lower, count - above - aboveThose);

        // The digit at which the k-th largest lies, and how many lie above it.
        (uint Digit, long Above) Descend(long needed, int digits, Func<uint, uint> digitOf)
        {
            var counts = new long[digits];
            for (var start = 0L; start < tensor.ElementCount; start += chunk.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var values = chunk.AsSpan(0, (int)Math.Min(chunk.Length, tensor.ElementCount - start));
                source.Read(tensor.Name, start, values);
                foreach (var bits in MemoryMarshal.Cast<float, uint>(values))
                {
                    var digit = digitOf(bits & Magnitude);
                    if (digit < counts.Length) counts[digit]++;
                }
            }

            var (at, passed) = (digits - 1, 0L);
            while (passed + counts[at] < needed) passed += counts[at--];
            return ((uint)at, passed);
        }
    }

    /// <summary>Sets every other value of the tensor's next piece to 0 and notes the places of those that stay.</summary>
    /// <param name="values">The piece; pieces come in order.</param>
    /// <param name="start">Where in the tensor it begins.</param>
    /// <param name="places">Gets a place per value that stays, ascending.</param>
    public void Keep(Span<float> values, int start, List<int> places)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(values[i]) & Magnitude;
            if (bits > _least || (bits == _least && _equal-- > 0)) places.Add(start + i);
            else values[i] = 0;
        }
    }
}
