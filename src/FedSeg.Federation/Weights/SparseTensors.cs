using System.Runtime.InteropServices;

namespace FedSeg.Federation.Weights;

/// <summary>
/// The tensors of a sparse update on disk, read as if they were dense. Memory is one block of places, whatever the update's size.
/// </summary>
/// <param name="file">Holds the tensors of <see cref="EncodedManifest"/>.</param>
/// <param name="model">The tensors of the model.</param>
/// <param name="encoding">A sparse one.</param>
internal sealed class SparseTensors(SafetensorsFile file, TensorManifest model, UpdateEncoding encoding)
{
    private const int BlockElements = 1 << 12;

    private readonly Part[] _parts = Lay(model, encoding);
    private readonly int[] _places = new int[BlockElements];
    private readonly float[] _values = new float[BlockElements];

    /// <summary>Where the last reading ended: who reads on need not search.</summary>
    private (int Tensor, long Element, int Entry) _next;

    /// <summary>Looks at every place.</summary>
    /// <exception cref="SafetensorsException">They are not ascending, or not within their tensor.</exception>
    public void Check()
    {
        for (var i = 0; i < _parts.Length; i++)
        {
            var previous = -1;
            for (var entry = 0; entry < _parts[i].Kept; entry += BlockElements)
            {
                foreach (var place in Places(_parts[i], entry))
                {
                    if (place <= previous || place >= _parts[i].Elements) throw new SafetensorsException(
                        $"the places in '{model.Tensors[i].Name}' are not ascending within it");
                    previous = place;
                }
            }
        }
    }

    /// <summary>Reads elements of a tensor from <paramref name="start"/> on; those it does not hold are 0.</summary>
    public void Read(int tensor, long start, Span<float> destination)
    {
        destination.Clear();
        var part = _parts[tensor];
        var end = start + destination.Length;
        var entry = _next.Tensor == tensor && _next.Element == start ? _next.Entry : FirstFrom(part, start);
        while (entry < part.Kept)
        {
            var places = Places(part, entry);
            var within = places.IndexOfAnyInRange((int)Math.Min(end, int.MaxValue), int.MaxValue) is >= 0 and var first ? first
                : places.Length;
            var values = _values.AsSpan(0, within);
            file.ReadPayloadBytes(part.ValuesOffset + (long)entry * sizeof(float), MemoryMarshal.AsBytes(values));
            for (var i = 0; i < within; i++) destination[(int)(places[i] - start)] = values[i];
            entry += within;
            if (within < places.Length) break;
        }

        _next = (tensor, end, entry);
    }

    private static Part[] Lay(TensorManifest model, UpdateEncoding encoding)
    {
        var parts = new Part[model.Tensors.Length];
        var offset = 0L;
        for (var i = 0; i < parts.Length; i++)
        {
            var elements = model.Tensors[i].ElementCount;
            parts[i] = new Part(elements, encoding.KeptOf(elements), offset);
            offset = parts[i].End;
        }

        return parts;
    }

    private ReadOnlySpan<int> Places(Part part, int entry)
    {
        var places = _places.AsSpan(0, Math.Min(BlockElements, part.Kept - entry));
        file.ReadPayloadBytes(part.Offset + (long)entry * sizeof(int), MemoryMarshal.AsBytes(places));
        return places;
    }

    /// <summary>The first entry whose place is not before an element.</summary>
    private int FirstFrom(Part part, long element)
    {
        var (low, high) = (0, part.Kept);
        Span<int> place = stackalloc int[1];
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            file.ReadPayloadBytes(part.Offset + (long)middle * sizeof(int), MemoryMarshal.AsBytes(place));
            if (place[0] < element) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    /// <summary>Where a tensor's places lie among all bytes, and behind them its values.</summary>
    private readonly record struct Part(long Elements, int Kept, long Offset)
    {
        public long ValuesOffset => Offset + (long)Kept * sizeof(int);

        public long End => ValuesOffset + (long)Kept * sizeof(float);
    }
}
