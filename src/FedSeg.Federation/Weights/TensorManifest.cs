using System.Collections.Immutable;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Weights;

/// <summary>Types of a tensor's elements, little-endian; the names are safetensors'.</summary>
public enum ElementType
{
    /// <summary>IEEE 754 single precision.</summary>
    F32,

    /// <summary>IEEE 754 half precision.</summary>
    F16,

    /// <summary>Two's complement, two bytes.</summary>
    I16,

    /// <summary>Two's complement, one byte.</summary>
    I8,

    /// <summary>Two's complement, four bytes.</summary>
    I32,
}

/// <summary>The name and shape of one weight tensor; elements in C order.</summary>
/// <param name="Name">1 to 128 of <c>a-z A-Z 0-9 . _</c>; unique in its manifest.</param>
/// <param name="Shape">Extent of each axis, outermost first; each at least 1.</param>
public sealed record TensorSpec(string Name, ImmutableArray<int> Shape)
{
    /// <summary>Float32 but in an encoded update.</summary>
    public ElementType Type { get; init; }

    /// <summary>Number of elements.</summary>
    /// <exception cref="OverflowException">The shape does not fit 64 bits.</exception>
    public long ElementCount => Shape.Aggregate(1L, (product, extent) => checked(product * extent));

    /// <summary>Bytes of one element.</summary>
    public int ElementBytes => Type switch { ElementType.F32 or ElementType.I32 => 4, ElementType.I8 => 1, _ => 2 };

    /// <summary>Bytes of the tensor.</summary>
    public long ByteCount => checked(ElementCount * ElementBytes);

    public bool Equals(TensorSpec? other) => other is not null && Name == other.Name && Type == other.Type && Shape.AsSpan().SequenceEqual(other.Shape.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Name, Shape.Length);

    public override string ToString() => $"{Name}[{string.Join(", ", Shape)}]{(Type == ElementType.F32 ? "" : $" {Type}")}";
}

/// <summary>
/// The exact list of tensors a model or update consists of, in file order. Both sides derive it from the approved
/// architecture, so a file is compared with what must be in it, never asked what is in it.
/// </summary>
public sealed class TensorManifest
{
    /// <exception cref="ArgumentException">Two tensors share a name.</exception>
    public TensorManifest(IEnumerable<TensorSpec> tensors)
    {
        Tensors = [.. tensors];
        if (Tensors.DistinctBy(tensor => tensor.Name).Count() != Tensors.Length)
        {
            throw new ArgumentException("Two tensors share a name.", nameof(tensors));
        }

        PayloadBytes = Tensors.Aggregate(0L, (sum, tensor) => checked(sum + tensor.ByteCount));
    }

    public ImmutableArray<TensorSpec> Tensors { get; }

    /// <summary>Bytes of all tensors together, without the file's header.</summary>
    public long PayloadBytes { get; }

    /// <summary>Number of weights.</summary>
    public long ParameterCount => Tensors.Sum(tensor => tensor.ElementCount);

    /// <summary>
    /// The first difference between this manifest and a file's tensors, in words fit for a message, or <see langword="null"/> when
    /// names, shapes and order agree exactly.
    /// </summary>
    public string? FirstDifference(IReadOnlyList<TensorSpec> actual)
    {
        for (var i = 0; i < Math.Min(Tensors.Length, actual.Count); i++)
        {
            if (!Tensors[i].Equals(actual[i]))
            {
                return $"tensor {i} is '{Quote.Of(actual[i].ToString())}' where '{Tensors[i]}' is declared";
            }
        }

        return actual.Count == Tensors.Length ? null : $"{actual.Count} tensors where {Tensors.Length} are declared";
    }
}
