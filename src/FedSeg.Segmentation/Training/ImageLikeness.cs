using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Preprocessing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Looks for the images of a round in the update it made: a layer that was built to copy images leaves whole ones in its weights' rows, or
/// in the differences of neighbouring rows (Fowl et al. 2022; Boenisch et al. 2023). Dividing a row by its bias's change, as these attacks
/// do, does not change its direction, so rows and differences stand for the quotients, too.
/// <para>
/// Compared are runs of <see cref="LongestRun"/> voxels in scan order, from patches that the round's steps really drew, with every window
/// of as many neighbouring weights of a tensor. On both sides the steps from one value to the next are taken: two smooth signals resemble
/// each other by chance, their edges and grain do not. What is found is a copy in plain order. Images that are permuted, blurred or spread
/// over tensors stay unfound; against those stand the rules for the model, and noise.
/// </para>
/// </summary>
internal static class ImageLikeness
{
    /// <summary>Voxels of a run, where a patch has so many.</summary>
    internal const int LongestRun = 512;

    private const int Patches = 32, PlacesPerPatch = 16, Block = 1 << 14;

    // Against running sums' rounding. A window this much shorter than what surrounds it does not outlast the gate's rounding to 16 bits.
    private const double SmallestShare = 1e-6;

    /// <summary>Compares; <see langword="null"/> when no patch has anything to compare with, such as images of one value.</summary>
    /// <param name="updatePath">The update, in float32.</param>
    /// <param name="cases">The cases trained on.</param>
    /// <param name="schedule">The round's.</param>
    public static ImageSimilarity? Measure(string updatePath, IReadOnlyList<PreparedCase> cases, TrainingSchedule schedule)
    {
        using var scope = NewDisposeScope();
        var runs = Runs(cases, schedule);
        if (runs.Count == 0) return null;
        var length = runs[0].Length;
        var spectra = fft.rfft(stack(runs.Select(run => tensor(run))), Block).conj();
        using var update = SafetensorsFile.Open(updatePath);
        var largest = 0.0;
        foreach (var spec in update.Tensors)
        {
            var values = update.ReadAll(spec.Name);
            largest = Math.Max(largest, Largest(values, spectra, length));
            if (spec.Shape.Length < 2) continue;
            var row = values.Length / spec.Shape[0];
            var differences = new float[values.Length - row];
            for (var i = 0; i < differences.Length; i++) differences[i] = values[i + row] - values[i];
            largest = Math.Max(largest, Largest(differences, spectra, length));
        }

        using var bytes = File.OpenRead(updatePath);
        return new ImageSimilarity(Math.Min(1, largest), runs.Count, Sha256Digest.FromHash(SHA256.HashData(bytes)));
    }

    /// <summary>One run a patch, of unit length and without its mean: where the image changes most.</summary>
    private static List<double[]> Runs(IReadOnlyList<PreparedCase> cases, TrainingSchedule schedule)
    {
        var sampler = new PatchSampler(cases, schedule);
        var runs = new List<double[]>();
        for (var i = 0; i < Patches; i++)
        {
            var step = schedule.FirstStep + (long)i * schedule.Steps / Patches;
            // Private steps draw secretly who takes part; what a patient's patch of a step is follows from its own key.
            var batch = schedule.Recipe.Privacy is null
                ? sampler.Batch(step)
                : sampler.OfPatient([cases[i * cases.Count / Patches]], schedule.Recipe.Privacy.PatchesPerPatient, step);
            var voxels = batch.Images.Length / batch.Count;
            var image = batch.Images.AsSpan(i % batch.Count * voxels, voxels).ToArray();
            if (BestRun(image, Math.Min(LongestRun, voxels - 1)) is { } run) runs.Add(run);
        }

        return runs;
    }

    private static double[]? BestRun(float[] image, int length)
    {
        var changes = Steps(image);
        var places = Enumerable.Range(0, PlacesPerPatch)
            .Select(place => (int)((long)place * (changes.Length - length) / (PlacesPerPatch - 1)));
        var best = places.Select(start => Centred(changes.AsSpan(start, length))).MaxBy(Norm)!;
        var norm = Norm(best);
        return norm > 0 ? [.. best.Select(value => value / norm)] : null;
    }

    /// <summary>Largest |cosine| of any window with any run.</summary>
    private static double Largest(float[] values, Tensor spectra, int length)
    {
        var changes = Steps(values);
        var largest = 0.0;
        for (var start = 0; start + length <= changes.Length; start += Block - length + 1)
        {
            using var scope = NewDisposeScope();
            var block = changes.AsSpan(start, Math.Min(Block, changes.Length - start));
            // Correlation by Fourier transform: one product for all windows of the block.
            var products = fft.irfft(fft.rfft(tensor(block.ToArray()), Block).unsqueeze(0).mul(spectra), Block).abs().amax(
                [0]).data<double>();
            var smallest = SmallestShare * Norm(block.ToArray());
            var (sum, squares) = (0.0, 0.0);
            for (var i = 0; i < block.Length; i++)
            {
                sum += block[i];
                squares += block[i] * block[i];
                var window = i - length + 1;
                if (window < 0) continue;
                var norm = Math.Sqrt(Math.Max(0, squares - sum * sum / length));
                if (norm > smallest && products[window] > largest * norm)
                {
                    largest = Math.Max(largest, products[window] / Norm(Centred(block.Slice(window, length))));
                }

                sum -= block[window];
                squares -= block[window] * block[window];
            }
        }

        return largest;
    }

    private static double[] Steps(float[] values)
    {
        var steps = new double[Math.Max(0, values.Length - 1)];
        for (var i = 0; i < steps.Length; i++) steps[i] = (double)values[i + 1] - values[i];
        return steps;
    }

    private static double[] Centred(ReadOnlySpan<double> values)
    {
        var centred = values.ToArray();
        var mean = centred.Average();
        for (var i = 0; i < centred.Length; i++) centred[i] -= mean;
        return centred;
    }

    private static double Norm(double[] values) => Math.Sqrt(values.Sum(value => value * value));
}
