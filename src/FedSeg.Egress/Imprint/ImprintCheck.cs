using FedSeg.Federation.Weights;

namespace FedSeg.Egress.Imprint;

/// <summary>
/// Tells a model that is built to copy its training images into its update from one that is built to segment. Such a model measures every image with many equal rows of
/// weights whose biases form a ladder, so that each image moves its own row (Fowl et al. 2022, Robbing the Fed); or it has a layer wide enough to see a whole patch at
/// once, before any pooling. What it leaks can't be found in the update by looking, so the model itself is refused before it is trained.
/// </summary>
public static class ImprintCheck
{
    /// <summary>Fewest rows among which equal ones mean anything.</summary>
    private const int FewestRows = 8;

    /// <summary>Share of neighbouring rows that may point the same way.</summary>
    private const double MostEqualNeighbours = 0.25;

    /// <summary>Two rows point the same way from this cosine on; rows of a random or trained layer come nowhere near it.</summary>
    private const double SameDirection = 0.9999;

    /// <summary>What in a model could imprint images, in the gate's own words; <see langword="null"/> when nothing does.</summary>
    /// <param name="model">The received global model.</param>
    /// <param name="manifest">The tensors its plan declares.</param>
    /// <param name="patchVoxels">Voxels of one training patch.</param>
    public static string? Problem(SafetensorsFile model, TensorManifest manifest, long patchVoxels)
    {
        if (StaticProblem(manifest, patchVoxels) is { } wide) return wide;
        return manifest.Tensors.Where(IsLayer).Any(tensor => HasEqualRows(model, tensor)) ? "a layer's rows of weights are equal" : null;
    }

    /// <summary>Whether a layer's fan-in is a patch or more, or one sees everything at once (a matrix: a linear layer).</summary>
    public static string? StaticProblem(TensorManifest manifest, long patchVoxels)
    {
        if (manifest.Tensors.Any(tensor => tensor.Shape.Length == 2)) return "a linear layer";
        return manifest.Tensors.Where(IsLayer).Any(tensor => FanIn(tensor) >= patchVoxels) ? "a layer that sees a whole patch at once" : null;
    }

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

    private static double Cosine(float[] first, float[] second)
    {
        var (product, squares, otherSquares) = (0.0, 0.0, 0.0);
        for (var i = 0; i < first.Length; i++)
        {
            product += (double)first[i] * second[i];
            squares += (double)first[i] * first[i];
            otherSquares += (double)second[i] * second[i];
        }

        return squares == 0 || otherSquares == 0 ? 0 : product / Math.Sqrt(squares * otherSquares);
    }
}
