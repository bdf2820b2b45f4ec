using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Weights;

namespace FedSeg.Egress.Imprint;

/// <summary>
/// Tells a model that was filled to copy its training images into its update from one that was filled to segment. Such a model measures every image with many equal
/// rows of weights whose biases form a ladder, so that each image moves its own row (Fowl et al. 2022, Robbing the Fed). What it leaks can't be found in the update by
/// looking, so the model itself is refused before it is trained. Layers able to do it by their shape alone are refused with the plan
/// (<see cref="FedSeg.Federation.Architectures.ImprintCheck"/>).
/// </summary>
public static class EqualRows
{
    /// <summary>Fewest rows among which equal ones mean anything.</summary>
    private const int FewestRows = 8;

    /// <summary>Share of neighbouring rows that may point the same way.</summary>
    private const double MostEqualNeighbours = 0.25;

    /// <summary>Two rows point the same way from this cosine on; rows of a random or trained layer come nowhere near it.</summary>
    private const double SameDirection = 0.9999;

    /// <summary>Whether a layer of a model holds them, in the gate's own words; <see langword="null"/> when none does.</summary>
    /// <param name="model">The received global model.</param>
    /// <param name="manifest">The tensors its plan declares.</param>
    public static string? Problem(SafetensorsFile model, TensorManifest manifest) =>
        manifest.Tensors.Where(IsLayer).Any(tensor => HasEqualRows(model, tensor)) ? "a layer's rows of weights are equal" : null;

    private static bool IsLayer(TensorSpec tensor) => tensor.Shape.Length > 1;

    private static long FanIn(TensorSpec tensor) => tensor.ElementCount / tensor.Shape[0];

    private static bool HasEqualRows(SafetensorsFile model, TensorSpec tensor)
    {
        var (rows, width) = (tensor.Shape[0], (int)FanIn(tensor));
        // Of one or two numbers many point the same way by nature.
        if (rows < FewestRows || width < FewestRows) return false;

        var (previous, current) = (new float[width], new float[width]);
        var equal = 0;
        model.Read(tensor.Name, 0, previous);
        for (var row = 1; row < rows; row++)
        {
            model.Read(tensor.Name, (long)row * width, current);
            if (Math.Abs(Cosine(previous, current)) >= SameDirection) equal++;
            (previous, current) = (current, previous);
        }

        return equal > MostEqualNeighbours * (rows - 1);
    }

    /// <summary>In double, because squares of float32 can leave its range.</summary>
    private static double Cosine(float[] first, float[] second)
    {
        var (product, squares, otherSquares) = (new LaneSum(), new LaneSum(), new LaneSum());
        product.AddProducts(first, second);
        squares.AddProducts(first, first);
        otherSquares.AddProducts(second, second);
        return squares.Total == 0 || otherSquares.Total == 0 ? 0 : product.Total / Math.Sqrt(squares.Total * otherSquares.Total);
    }
}
