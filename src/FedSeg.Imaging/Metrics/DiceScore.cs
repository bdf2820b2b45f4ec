namespace FedSeg.Imaging.Metrics;

/// <summary>Dice overlap of label maps, cheap enough for every training step's validation.</summary>
public static class DiceScore
{
    /// <summary>Dice 2TP / (2TP + FP + FN) per label.</summary>
    /// <param name="labels">Number of classes with background; voxels of a class at or above it are an error.</param>
    /// <returns>One value per class, index 0 the background; NaN where neither map has the class.</returns>
    /// <exception cref="ArgumentException">
    /// The maps differ in length, or a voxel's class is not below <paramref name="labels"/>.
    /// </exception>
    public static double[] PerLabel(ReadOnlySpan<byte> reference, ReadOnlySpan<byte> prediction, int labels)
    {
        if (reference.Length != prediction.Length)
        {
            throw new ArgumentException(
                $"The reference has {reference.Length} voxels, the prediction {prediction.Length}; both must be on one grid.",
                nameof(prediction));
        }

        var both = new long[256];
        var total = new long[256];
        for (var i = 0; i < reference.Length; i++)
        {
            total[reference[i]]++;
            total[prediction[i]]++;
            if (reference[i] == prediction[i]) both[reference[i]]++;
        }

        var stray = Array.FindLastIndex(total, n => n > 0);
        if (stray >= labels) throw new ArgumentException($"Class {stray} occurs, but there are only {labels} classes.", nameof(labels));
        return [.. Enumerable.Range(0, labels).Select(c => total[c] == 0 ? double.NaN : 2.0 * both[c] / total[c])];
    }
}
