using TorchSharp;

namespace FedSeg.Segmentation;

/// <summary>
/// Scalars that live as long as the program. TorchSharp turns every number handed to a tensor operation into a native scalar that belongs to
/// the garbage collector, and hands out its address without keeping it alive: a collection on another thread can free it while native code
/// still reads it (seen as "Expected false to be true … Scalar.h toFloat" after some hundred training steps). So nothing on the path of a
/// step passes a bare number, nor uses an operator that makes one inside, such as tensor + tensor, nor leaves out the factor of
/// <c>add(scalar, factor)</c>, which is then made inside too.
/// </summary>
internal static class LastingScalars
{
    public static readonly Scalar One = 1.0, MinusOne = -1.0, Two = 2.0;

    /// <summary>a + b without a passing scalar.</summary>
    public static torch.Tensor Plus(this torch.Tensor a, torch.Tensor b) => a.add(b, One);
}
