namespace FedSeg.Imaging.Metrics;

/// <summary>Dice overlap of two label maps: 2·|R ∩ P| / (|R| + |P|), counted in whole voxels of one class.</summary>
public static class DiceScore
{
    /// <summary>
    /// The Dice of class <paramref name="label"/>, in [0, 1]; null where neither map holds the class, so that the case is left out of a mean
    /// instead of counting as perfect. A class predicted where the reference has none is 0 (nnU-Net v2's evaluation).
    /// </summary>
    /// <param name="reference">Class per voxel, as the expert drew it.</param>
    /// <param name="prediction">Class per voxel on the same grid, in the same memory order.</param>
    /// <param name="label">The class to compare.</param>
    /// <exception cref="ArgumentException">The maps differ in length.</exception>
    public static double? Of(ReadOnlySpan<byte> reference, ReadOnlySpan<byte> prediction, byte label)
    {
        if (reference.Length != prediction.Length)
        {
            throw new ArgumentException(
                $"The reference has {reference.Length} voxels, the prediction {prediction.Length}; put both on one grid first.", nameof(prediction));
        }

        long both = 0, inReference = 0, inPrediction = 0;
        for (var i = 0; i < reference.Length; i++)
        {
            var drawn = reference[i] == label;
            var predicted = prediction[i] == label;
            if (drawn) inReference++;
            if (predicted) inPrediction++;
            if (drawn && predicted) both++;
        }

        return inReference + inPrediction == 0 ? null : 2.0 * both / (inReference + inPrediction);
    }
}
