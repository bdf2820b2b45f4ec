using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Planning;

/// <summary>
/// From what is known of the data to one frozen plan, by the rules of nnU-Net v2 (Isensee et al., Nature Methods 18, 2021; residual
/// presets: Isensee et al., MICCAI 2024). Pure arithmetic on a fingerprint: no images, no tensor library, the same plan on any machine.
/// </summary>
public static class TrainingPlanner
{
    private const double LowResolutionThreshold = 0.25, LowResolutionStep = 1.03, LeastReduction = 2;

    // Below this share of an image's voxels left by cropping, zeros would decide its mean and deviation.
    private const double LeastKeptUnmasked = 0.75;

    /// <exception cref="PlanningException">The images are too small to plan a network for.</exception>
    public static TrainingPlan Plan(DatasetFingerprint fingerprint, PlannerPresetName preset)
    {
        var spacing = TargetSpacing.Of(fingerprint);
        double[] shape = [.. Enumerable.Range(0, 3).Select(axis => fingerprint.MedianShapeAt(axis, spacing[axis]))];
        var sliceAxis = Array.IndexOf(spacing, spacing.Max());
        int[] inPlane = [.. Enumerable.Range(0, 3).Where(axis => axis != sliceAxis)];
        int[] allAxes = [sliceAxis, .. inPlane];

        var planner = new ConfigurationPlanner(PlannerPreset.Of(preset), fingerprint.Classes);
        List<PlannedConfiguration> configurations = [];
        if (shape[sliceAxis] > 1)
        {
            var full = planner.Plan(TrainingPlan.FullResolution, spacing, shape, Voxels(shape) * fingerprint.Cases, allAxes);
            var low = LowResolution(planner, full, fingerprint.Cases, allAxes);
            // With a low-resolution network before it, the full one sees patches whose labels the first has found: few are empty.
            configurations.Add(full with { BatchDice = low is not null });
            if (low is not null) configurations.Add(low);
        }

        configurations.Add(planner.Plan(TrainingPlan.TwoDimensional, spacing, shape, Voxels(shape) * fingerprint.Cases, inPlane) with { BatchDice = true });
        return new TrainingPlan
        {
            Preset = preset,
            Modality = fingerprint.Modality,
            Classes = fingerprint.Classes,
            Cases = fingerprint.Cases,
            Intensity = fingerprint.Intensity,
            Crop = Crop(fingerprint),
            SliceAxis = sliceAxis,
            Configurations = [.. configurations],
        };
    }

    /// <summary>Every image is cropped; within the mask only are those normalised that would be by themselves and lose much.</summary>
    private static CropRule Crop(DatasetFingerprint fingerprint) =>
        fingerprint.Modality != "CT" && fingerprint.MedianShareKept() < LeastKeptUnmasked ? CropRule.NonzeroMasked : CropRule.Nonzero;

    /// <summary>
    /// Where a full-resolution patch shows less than a quarter of the median image: the spacing grows by 3 % a step, only along the axes
    /// that are more than twice as fine as the coarsest while there are any, until a patch shows enough. <see langword="null"/> where that
    /// isn't needed or saves less than half the voxels.
    /// </summary>
    private static PlannedConfiguration? LowResolution(ConfigurationPlanner planner, PlannedConfiguration full, int cases, int[] axes)
    {
        double[] spacing = [.. full.SpacingMm];
        var fullVoxels = Voxels(full.MedianShape);
        var (voxels, patch) = (fullVoxels, PatchVoxels(full));
        PlannedConfiguration? low = null;
        while (patch / voxels < LowResolutionThreshold)
        {
            var coarsest = spacing.Max();
            var anyFine = spacing.Any(mm => coarsest / mm > 2);
            spacing = [.. spacing.Select(mm => !anyFine || coarsest / mm > 2 ? mm * LowResolutionStep : mm)];
            double[] shape = [.. full.MedianShape.Select((extent, axis) => full.SpacingMm[axis] / spacing[axis] * extent)];
            voxels = Voxels(shape);
            low = planner.Plan(TrainingPlan.LowResolution, spacing, [.. shape.Select(extent => Math.Round(extent))], voxels * cases, axes);
            patch = PatchVoxels(low);
        }

        return fullVoxels / voxels < LeastReduction ? null : low;
    }

    private static double Voxels(IEnumerable<double> shape) => shape.Aggregate(1.0, (product, extent) => product * extent);

    private static double PatchVoxels(PlannedConfiguration configuration) =>
        configuration.PatchVoxels.Aggregate(1.0, (product, extent) => product * extent);
}
