using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Explanation;

/// <summary>How much work goes into an explanation.</summary>
public sealed class ExplanationOptions
{
    /// <summary>Blocks along each axis of the window that are hidden one by one; 0 leaves occlusion out.</summary>
    public int OcclusionBlocks { get; init; } = 5;

    /// <summary>Gradients taken on the way from a blurred image to this one.</summary>
    public int IntegrationSteps { get; init; } = 20;
}

/// <summary>
/// What a model's decision for one label depends on, by three methods, in one window about the label; maps lie on the scanner's grid and
/// are 0 outside the window. They show a patient and stay at the site.
/// </summary>
public sealed record LabelExplanation
{
    public required string Label { get; init; }

    /// <summary>Mean probability of the label where the model found it, 0 to 1.</summary>
    public required double Probability { get; init; }

    /// <summary>Seg-Grad-CAM of the bottleneck: where features lie that speak for the label; at least 0, in no unit.</summary>
    public required Volume GradCam { get; init; }

    /// <summary>Fall of <see cref="Probability"/> when the block is hidden; <see langword="null"/> where it was left out.</summary>
    public Volume? Occlusion { get; init; }

    /// <summary>What each voxel adds to the label's mean logit, against the same image seen at an eighth of its resolution.</summary>
    public required Volume IntegratedGradients { get; init; }

    /// <summary>Share of the logit's difference that the integrated gradients miss; near 0, or more steps are needed.</summary>
    public required double CompletenessGap { get; init; }

    /// <summary>
    /// Rank correlation with the same map of a network with the same weights in random places. Near 1, the map tells of the image rather
    /// than of the model. Adebayo et al., NeurIPS 2018.
    /// </summary>
    public required double GradCamOfRandomWeights { get; init; }

    /// <summary>The same for the integrated gradients.</summary>
    public required double IntegratedGradientsOfRandomWeights { get; init; }
}
