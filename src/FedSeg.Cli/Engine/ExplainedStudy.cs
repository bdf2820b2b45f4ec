using FedSeg.Federation.Weights;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Explanation;
using FedSeg.Segmentation.Uncertainty;

namespace FedSeg.Cli.Engine;

/// <summary>All that is shown of one study.</summary>
/// <param name="Model">The first model.</param>
/// <param name="Image">The study's image.</param>
/// <param name="Uncertain">What was found, and how sure that is.</param>
/// <param name="Agreement">How well the members agree; <see langword="null"/> where there is one only.</param>
/// <param name="Explanations">One a label in class order; <see langword="null"/> for a label that was not found.</param>
internal sealed record ExplainedStudy(
    ModelMetadata Model,
    Volume Image,
    UncertainSegmentation Uncertain,
    MemberAgreement? Agreement,
    IReadOnlyList<LabelExplanation?> Explanations)
{
    public IReadOnlyList<string> Labels => Model.Labels;

    public double VolumeMl(int label)
    {
        var spacing = Image.Grid.SpacingMm;
        return Uncertain.Labels.Labels.Count(found => found == label) * spacing.X * spacing.Y * spacing.Z / 1000;
    }

    /// <summary>Mean of a map over a label; NaN where that was not found.</summary>
    public double MeanWithin(Volume map, int label)
    {
        var (sum, count) = (0.0, 0);
        for (var i = 0; i < map.Voxels.Length; i++)
        {
            if (Uncertain.Labels.Labels[i] != label) continue;
            sum += map.Voxels[i];
            count++;
        }

        return count == 0 ? double.NaN : sum / count;
    }

    /// <summary>The slice that shows most of a label; the middle one where it was not found.</summary>
    public int LargestSlice(int label)
    {
        var size = Image.Grid.Size;
        var plane = size.Y * size.X;
        var (best, most) = (size.Z / 2, 0);
        for (var z = 0; z < size.Z; z++)
        {
            var count = Uncertain.Labels.Labels.AsSpan(z * plane, plane).Count((byte)label);
            if (count > most) (best, most) = (z, count);
        }

        return best;
    }
}
