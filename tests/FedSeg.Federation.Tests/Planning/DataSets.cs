using System.Collections.Immutable;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Planning;

/// <summary>The data sets of the published plans, as if every case were the median one.</summary>
internal static class DataSets
{
    public static ListedFingerprint Hippocampus { get; } = Of([1, 1, 1], [36, 50, 35], cases: 260, classes: 3);

    public static ListedFingerprint BrainTumour { get; } = Of([1, 1, 1], [138, 170, 138], cases: 484, classes: 4);

    public static ListedFingerprint Spleen { get; } = Of([1.6, 0.7929, 0.7929], [187, 512, 512], cases: 41, classes: 2, modality: "CT");

    public static ListedFingerprint Of(ImmutableArray<double> spacing, ImmutableArray<double> shape, int cases, int classes, string modality = "MR") => new()
    {
        Cases = cases,
        Classes = classes,
        Modality = modality,
        Intensity = modality == "CT" ? new ForegroundIntensity { Mean = 99.3, Deviation = 39.5, LowerClip = -41, UpperClip = 176 } : null,
        SpacingsMm = [.. Enumerable.Repeat(spacing, cases)],
        Shapes = [.. Enumerable.Repeat(shape, cases)],
    };
}
