using System.Globalization;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Cli.Demo;

/// <summary>
/// Proposes a job from a survey: the median spacing, a patch that covers the median image as far as a laptop's cores allow, and a small 3D U-Net. A federated fingerprint and
/// planner will replace it; it is written as a job file, so what runs is what a data scientist could have submitted.
/// </summary>
internal static class DemoRecipe
{
    private const int Levels = 4, BaseFeatures = 8, LargestPatchAxis = 64;

    // A network that makes a few hundred steps has not seen the plain patches often enough to be shown changed ones.
    private const long FewestStepsToAugment = 2000;

    /// <summary>The job as YAML.</summary>
    /// <param name="name">The job's name.</param>
    /// <param name="data">The hospitals.</param>
    /// <param name="rounds">Training rounds.</param>
    /// <param name="stepsPerRound">Optimiser steps per site and round.</param>
    public static string Propose(string name, DemoData data, int rounds, int stepsPerRound)
    {
        var labels = data.CommonLabels;
        if (labels.Count == 0) throw new BadInputException("No label occurs at every site; the segmentations' segment labels must agree, or be mapped in each site's settings.");
        var modalities = data.Cases.Select(entry => entry.Modality).Distinct().ToList();
        if (modalities.Count > 1) throw new BadInputException($"The sites hold several modalities ({string.Join(", ", modalities)}); a job trains one.");

        var canonical = data.Cases.Select(entry => CanonicalOrientation.Of(entry.Grid).CanonicalGrid).ToList();
        double[] spacing = [Median(canonical, grid => grid.SpacingMm.Z), Median(canonical, grid => grid.SpacingMm.Y), Median(canonical, grid => grid.SpacingMm.X)];
        int[] patch =
        [
            Patch(Median(canonical, grid => grid.Size.Z * grid.SpacingMm.Z) / spacing[0]),
            Patch(Median(canonical, grid => grid.Size.Y * grid.SpacingMm.Y) / spacing[1]),
            Patch(Median(canonical, grid => grid.Size.X * grid.SpacingMm.X) / spacing[2]),
        ];
        return string.Create(CultureInfo.InvariantCulture, $"""
            name: {name}
            sites: [{string.Join(", ", data.Sites.Keys)}]
            rounds: {rounds}
            labels: [{string.Join(", ", labels.Select(Quoted))}]
            model:
              architecture: {ArchitectureCatalog.Names[0]}
              baseFeatures: {BaseFeatures}
              levels: {Levels}
            data:
              modality: {modalities[0]}
              spacingMm: [{string.Join(", ", spacing.Select(value => value.ToString("0.###", CultureInfo.InvariantCulture)))}]
              patchVoxels: [{string.Join(", ", patch)}]
              crop: nonzero
              heldBackFraction: 0.2
            training:
              stepsPerRound: {stepsPerRound}
              batchSize: 2
              optimizer: adamW
              learningRate: 0.003
              weightDecay: 0.01
              augmentation: {(AugmentationFor((long)rounds * stepsPerRound) == AugmentationKind.Standard ? "standard" : "none")}
            aggregation:
              quorum: {data.Sites.Count}
            minimumCases: 3
            seed: 1

            """);
    }

    /// <summary>What is worth it for a training of so many steps.</summary>
    public static AugmentationKind AugmentationFor(long steps) => steps >= FewestStepsToAugment ? AugmentationKind.Standard : AugmentationKind.None;

    /// <summary>Reads a proposed job back, strictly, as the coordinator will.</summary>
    public static JobSpec Parse(string yaml) => JobSpecReader.Read(yaml) switch
    {
        JobSpecResult.Valid valid => valid.Job,
        JobSpecResult.Invalid invalid => throw new BadInputException("The data do not make a job: " + string.Join("; ", invalid.Problems)),
        _ => throw new InvalidOperationException("A job is either valid or invalid."),
    };

    /// <summary>A segment label may hold anything; quoted, it stays one YAML text for the reader to judge.</summary>
    private static string Quoted(string label) => $"'{label.ReplaceLineEndings(" ").Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>The next multiple of the network's divisor that covers the extent, within what is quick on a few cores.</summary>
    private static int Patch(double extent)
    {
        const int divisor = 1 << (Levels - 1);
        return Math.Clamp((int)Math.Ceiling(extent / divisor) * divisor, divisor, LargestPatchAxis);
    }

    private static double Median(List<GridGeometry> grids, Func<GridGeometry, double> value) => grids.Select(value).Order().ElementAt(grids.Count / 2);
}
