using FedSeg.Federation.Weights;
using FedSeg.RedTeam.Tests.Images;
using FedSeg.Segmentation;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.RedTeam.Tests.Imprint;

/// <summary>
/// A model that a malicious coordinator made to copy its training images into its update (Fowl et al. 2022, "Robbing the Fed", section 3):
/// every row of the first layer measures the same of an image, its mean grey, and the biases form a ladder between the values that are to
/// be expected. So each image switches on all rows below its own grey, and the difference of two neighbouring rows' gradients is the image
/// that lies between them, times a number that the biases' gradients tell.
/// </summary>
/// <param name="size">Pixels along an image's edge.</param>
/// <param name="bins">Rows.</param>
internal sealed class ImprintModel(int size, int bins)
{
    public const string Weights = "imprint.weight", Biases = "imprint.bias";

    /// <summary>Tensors of the planted layer, as a plan would have to declare them.</summary>
    public TensorManifest Manifest { get; } = new([new TensorSpec(Weights, [bins, size * size]), new TensorSpec(Biases, [bins])]);

    /// <summary>The planted values: rows, then biases.</summary>
    /// <param name="expected">Images the coordinator has of its own: it only needs the spread of their mean grey.</param>
    /// <param name="jitter">How far the rows are made unlike each other, as a share of a row's length: an attempt not to be found.</param>
    public (float[] Rows, float[] Ladder) Plant(IEnumerable<float[]> expected, double jitter = 0)
    {
        double[] greys = [.. expected.Select(image => image.Average(pixel => (double)pixel)).Order()];
        var chance = new Random(9);
        float[] rows = [.. Enumerable.Range(0, bins * size * size)
            .Select(_ => (float)((1 + jitter * (2 * chance.NextDouble() - 1)) / (size * size)))];
        return (rows, [.. Enumerable.Range(0, bins).Select(bin => (float)-Quantile(greys, (bin + 0.5) / bins))]);
    }

    /// <summary>
    /// What one step on a batch leaves in the planted layer: gradients of its rows and its biases. Behind it any network may follow; here
    /// it is a sum.
    /// </summary>
    public static (float[] Rows, float[] Biases) Gradient(float[] rows, float[] biases, float[][] batch)
    {
        using var scope = NewDisposeScope();
        var (weights, ladder) = (tensor(rows, [biases.Length, rows.Length / biases.Length], requires_grad: true),
            tensor(biases, requires_grad: true));
        var images = cat([.. batch.Select(image => tensor(image).unsqueeze(0))]);
        var switched = nn.functional.relu(images.matmul(weights.t()).Plus(ladder));
        // Every image pulls with a strength of its own, as with a loss.
        var strengths = tensor([.. Enumerable.Range(0, batch.Length).Select(i => 1f + 0.1f * i)]).unsqueeze(1);
        (switched * strengths).sum().backward();
        return (weights.grad!.data<float>().ToArray(), ladder.grad!.data<float>().ToArray());
    }

    /// <summary>The attack: one image from every pair of neighbouring rows.</summary>
    public static IEnumerable<float[]> Recover(float[] rows, float[] biases)
    {
        var pixels = rows.Length / biases.Length;
        for (var bin = 0; bin < biases.Length; bin++)
        {
            var last = bin == biases.Length - 1;
            var strength = biases[bin] - (last ? 0 : biases[bin + 1]);
            if (Math.Abs(strength) < 1e-6f) continue;
            yield return [.. Enumerable.Range(0, pixels)
                .Select(i => (rows[bin * pixels + i] - (last ? 0 : rows[(bin + 1) * pixels + i])) / strength)];
        }
    }

    /// <summary>How many of the images are among what was recovered.</summary>
    public static int Found(IReadOnlyList<float[]> recovered, float[][] images, int size) =>
        images.Count(image => recovered.Any(candidate => StructuralSimilarity.Of(candidate, image, size) > 0.9));

    private static double Quantile(double[] sorted, double share) => sorted[(int)(share * sorted.Length)];
}
