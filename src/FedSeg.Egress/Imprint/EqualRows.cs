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

    /// <summary>Share of rows that may point the same way as another one.</summary>
    private const double MostEqualRows = 0.25;

    /// <summary>Two rows point the same way from this cosine on; rows of a random or trained layer come nowhere near it.</summary>
    private const double SameDirection = 0.9999;

    /// <summary>Numbers at a row's beginning that are compared first: where they differ too much, the rows do.</summary>
    private const int Beginning = 256;

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

        var beginnings = new float[rows][];
        var (row, other) = (new float[width], new float[width]);
        for (var i = 0; i < rows; i++) beginnings[i] = BeginningOf(model, tensor, i, row);

        // Wherever in the layer they lie: who fills it to copy images puts equal rows where he likes.
        var equal = new bool[rows];
        for (var i = 0; i < rows; i++)
        {
            if (beginnings[i].Length == 0) continue;
            model.Read(tensor.Name, (long)i * width, row);
            for (var j = i + 1; j < rows; j++)
            {
                if ((equal[i] && equal[j]) || !MayBeEqual(beginnings[i], beginnings[j])) continue;
                model.Read(tensor.Name, (long)j * width, other);
                if (Math.Abs(Cosine(row, other)) >= SameDirection) equal[i] = equal[j] = true;
            }
        }

        return equal.Count(isEqual => isEqual) > MostEqualRows * rows;
    }

    /// <summary>The first numbers of a row brought to length 1; none for a row of zeros.</summary>
    private static float[] BeginningOf(SafetensorsFile model, TensorSpec tensor, int index, float[] row)
    {
        model.Read(tensor.Name, (long)index * row.Length, row);
        var squares = new LaneSum();
        squares.AddProducts(row, row);
        var length = Math.Sqrt(squares.Total);
        return length > 0 ? [.. row.Take(Beginning).Select(value => (float)(value / length))] : [];
    }

    /// <summary>
    /// Rows of length 1 that point the same way or the opposite one lie at most √(2 − 2 · <see cref="SameDirection"/>) apart, up to the sign, and so does every part of
    /// them: other rows are told by their first few numbers.
    /// </summary>
    private static bool MayBeEqual(float[] first, float[] second)
    {
        const double rounding = 1e-6;
        const double furthest = 2 - 2 * SameDirection + rounding;
        if (second.Length == 0) return false;
        double apart = 0, apartTurned = 0;
        for (var i = 0; i < first.Length; i++)
        {
            double difference = first[i] - second[i], sum = first[i] + second[i];
            apart += difference * difference;
            apartTurned += sum * sum;
            if (apart > furthest && apartTurned > furthest) return false;
        }

        return true;
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
