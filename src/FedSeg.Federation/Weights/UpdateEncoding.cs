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
}

/// <summary>
/// The tensors of an encoded update: the model's own in their order, as elements of the encoding, then one float32 number of steps a tensor. An element times its
/// tensor's step is the change of the weight. A step is 0 for a tensor of zeros, else a power of two, so that the product is exact in float32.
/// </summary>
public static class EncodedManifest
{
    /// <summary>The tensor of steps; no layer of the allow-list is called so.</summary>
    public const string StepsName = "update.steps";

    /// <summary>What an update's file must consist of.</summary>
    /// <param name="model">The tensors of the model.</param>
    /// <param name="encoding">How their changes are written.</param>
    public static TensorManifest Of(TensorManifest model, UpdateEncoding encoding)
    {
        if (encoding == UpdateEncoding.F32) return model;
        var type = encoding switch
        {
            UpdateEncoding.F16 => ElementType.F16,
            UpdateEncoding.I16 => ElementType.I16,
            _ => ElementType.I8,
        };
        return new TensorManifest([.. model.Tensors.Select(tensor => tensor with { Type = type }), new TensorSpec(StepsName, [model.Tensors.Length])]);
    }
}
