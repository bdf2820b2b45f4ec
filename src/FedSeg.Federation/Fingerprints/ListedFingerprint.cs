using System.Collections.Immutable;

namespace FedSeg.Federation.Fingerprints;

/// <summary>A fingerprint of data in one place: every case is known, so every number is exact.</summary>
public sealed record ListedFingerprint : DatasetFingerprint
{
    /// <summary>Spacing of each case, mm, <c>[z, y, x]</c>.</summary>
    public required ImmutableArray<ImmutableArray<double>> SpacingsMm { get; init; }

    /// <summary>Voxels of each case, <c>[z, y, x]</c>; as many as <see cref="SpacingsMm"/>.</summary>
    public required ImmutableArray<ImmutableArray<double>> Shapes { get; init; }

    /// <summary>What the list says of <see cref="DatasetFingerprint.MedianShareKept"/>; 1, where its shapes are not of cropped images.</summary>
    public double ShareKept { get; init; } = 1;

    public override double MedianShareKept() => ShareKept;

    public override double SpacingQuantile(int axis, double share) => Quantile([.. SpacingsMm.Select(spacing => spacing[axis])], share);

    public override double MedianShape(int axis) => Quantile([.. Shapes.Select(shape => shape[axis])], 0.5);

    public override double MedianShapeAt(int axis, double spacingMm) =>
        Quantile([.. SpacingsMm.Zip(Shapes, (spacing, shape) => Math.Round(spacing[axis] / spacingMm * shape[axis]))], 0.5);

    /// <summary>Linear between order statistics: the value at position (n − 1) · share.</summary>
    private static double Quantile(double[] values, double share)
    {
        Array.Sort(values);
        var position = (values.Length - 1) * share;
        var below = (int)Math.Floor(position);
        var above = Math.Min(below + 1, values.Length - 1);
        return values[below] + (values[above] - values[below]) * (position - below);
    }
}
