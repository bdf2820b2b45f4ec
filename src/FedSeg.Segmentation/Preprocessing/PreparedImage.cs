using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Normalising;
using FedSeg.Imaging.Resampling;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>An image as the network sees it, and the way back to the scanner's grid.</summary>
public sealed class PreparedImage
{
    // For a plan without statistics of the data: soft tissue, −200 to 300 HU, mapped by the same fixed numbers at every site.
    private static readonly IntensityStatistics DefaultCtWindow = new(Mean: 50, Deviation: 100, LowerClip: -200, UpperClip: 300);

    private readonly CanonicalOrientation _orientation;
    private readonly int _maxThreads;

    private PreparedImage(Volume input, CanonicalOrientation orientation, int maxThreads)
    {
        Input = input;
        _orientation = orientation;
        _maxThreads = maxThreads;
    }

    /// <summary>On the canonical patient axes, at about the plan's spacing, normalised: MR by the image's own z-score, CT by the plan's foreground statistics.</summary>
    public Volume Input { get; }

    /// <summary>Normalises an image, then brings it to the plan's grid; the order of nnU-Net.</summary>
    /// <param name="image">The image on the scanner's grid.</param>
    /// <param name="preprocessing">The plan's rules.</param>
    /// <param name="maxThreads">Threads used for resampling, here and on the way back; -1 for all.</param>
    public static PreparedImage From(Volume image, PreprocessingSpec preprocessing, int maxThreads = -1)
    {
        var normalised = preprocessing.Modality == "CT"
            ? IntensityNormalisation.ClipAndZScore(image, CtStatistics(preprocessing.Intensity))
            : IntensityNormalisation.ZScore(image);
        var orientation = CanonicalOrientation.Of(image.Grid);
        var spacing = new Vector3D(X: preprocessing.SpacingMm[2], Y: preprocessing.SpacingMm[1], Z: preprocessing.SpacingMm[0]);
        return new PreparedImage(Resampler.ToSpacing(orientation.Apply(normalised), spacing, maxThreads), orientation, maxThreads);
    }

    /// <summary>Brings labels drawn on the image to the network's grid.</summary>
    public LabelVolume Prepare(LabelVolume labels) => Resampler.ToGrid(_orientation.Apply(labels), Input.Grid, _maxThreads);

    /// <summary>
    /// Takes the logits of each slice of the network's grid and labels the scanner's grid, its axes still the canonical ones. The logits are resampled, not the
    /// classes, so that borders stay smooth.
    /// </summary>
    internal ScoreLabelling StartLabelling(int classes) => new(classes, Input.Grid, _orientation.CanonicalGrid, _maxThreads);

    /// <summary>Turns labels of the canonical axes back to the scanner's.</summary>
    internal LabelVolume ToScannerGrid(LabelVolume labels) => _orientation.Undo(labels, _orientation.OriginalGrid);

    private static IntensityStatistics CtStatistics(ForegroundIntensity? planned) => planned is null
        ? DefaultCtWindow
        : new IntensityStatistics(planned.Mean, planned.Deviation, planned.LowerClip, planned.UpperClip);
}
