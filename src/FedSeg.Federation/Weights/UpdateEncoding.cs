namespace FedSeg.Federation.Weights;

/// <summary>How the changes of weights are written in an update's file. Models are always float32.</summary>
public enum UpdateEncoding
{
    /// <summary>As trained: four bytes a weight.</summary>
    F32,

    /// <summary>The nearest half-precision number of steps: two bytes, eleven significant bits at every magnitude.</summary>
    F16,

    /// <summary>A whole number of steps, 65 535 of them a tensor, rounded up or down by chance: two bytes, unbiased.</summary>
    I16,

    /// <summary>The same with 255 steps: one byte.</summary>
    I8,

    /// <summary>
    /// The tenth of a tensor's changes that is largest in magnitude, float32, with their places: 0.8 bytes a weight. The others are left
    /// out and count as 0.
    /// </summary>
    Top10,

    /// <summary>The same with a hundredth: 0.08 bytes a weight.</summary>
    Top1,
}

/// <summary>What follows from an encoding alone.</summary>
public static class UpdateEncodings
{
    /// <summary>Whether most weights are left out.</summary>
    public static bool IsSparse(this UpdateEncoding encoding) => encoding is UpdateEncoding.Top10 or UpdateEncoding.Top1;

    /// <summary>How many changes of a tensor a sparse update holds: the share rounded up, so that no tensor is forgotten.</summary>
    /// <param name="encoding">A sparse one.</param>
    /// <param name="elements">Elements of the tensor.</param>
    /// <exception cref="OverflowException">The tensor's places don't fit 32 bits.</exception>
    public static int KeptOf(this UpdateEncoding encoding, long elements)
    {
        var oneOf = encoding == UpdateEncoding.Top10 ? 10 : 100;
        return (checked((int)elements) + oneOf - 1) / oneOf;
    }
}

/// <summary>
/// The tensors of an encoded update: the model's own in their order, as elements of the encoding, then one float32 number of steps a tensor. An element times its
/// tensor's step is the change of the weight. A step is 0 for a tensor of zeros, else a power of two, so that the product is exact in float32.
/// A sparse update has two tensors for each of the model's instead: the places of the changes it holds, ascending and counted from 0 in C
/// order, then their values. How many there are follows from the shape, so the file's length tells nothing.
/// </summary>
public static class EncodedManifest
{
    /// <summary>The tensor of steps; no layer of the allow-list is called so.</summary>
    public const string StepsName = "update.steps";

    /// <summary>What is added to a tensor's name for the places, and for the values, of a sparse update.</summary>
    private const string IndicesSuffix = ".indices", ValuesSuffix = ".values";

    /// <summary>What an update's file must consist of.</summary>
    /// <param name="model">The tensors of the model.</param>
    /// <param name="encoding">How their changes are written.</param>
    public static TensorManifest Of(TensorManifest model, UpdateEncoding encoding)
    {
        if (encoding == UpdateEncoding.F32) return model;
        if (encoding.IsSparse()) return new TensorManifest(model.Tensors.SelectMany(tensor => Sparse(tensor, encoding)));
        var type = encoding switch
        {
            UpdateEncoding.F16 => ElementType.F16,
            UpdateEncoding.I16 => ElementType.I16,
            _ => ElementType.I8,
        };
        return new TensorManifest([.. model.Tensors.Select(tensor => tensor with { Type = type }), new TensorSpec(StepsName, [model.Tensors.Length])]);
    }

    private static IEnumerable<TensorSpec> Sparse(TensorSpec tensor, UpdateEncoding encoding)
    {
        var kept = encoding.KeptOf(tensor.ElementCount);
        yield return new TensorSpec(tensor.Name + IndicesSuffix, [kept]) { Type = ElementType.I32 };
        yield return new TensorSpec(tensor.Name + ValuesSuffix, [kept]);
    }
}
