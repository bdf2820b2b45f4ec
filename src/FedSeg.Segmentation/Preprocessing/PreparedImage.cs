using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Normalising;
using FedSeg.Imaging.Resampling;
using FedSeg.Imaging.Volumes;
using static TorchSharp.torch;

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
    /// From logits <c>[classes, D, H, W]</c> on the network's grid to the most likely class of each voxel of the scanner's grid. The logits are resampled, not the classes, so
    /// that borders stay smooth; one class at a time, so that memory does not grow with the classes.
    /// </summary>
    internal LabelVolume LabelsFrom(Tensor logits)
    {
        var canonical = _orientation.CanonicalGrid;
        var best = ScoresOf(logits, 0);
        var labels = new byte[canonical.VoxelCount];
        for (var label = 1; label < logits.shape[0]; label++)
        {
            var score = ScoresOf(logits, label);
            for (var i = 0; i < score.Length; i++)
            {
                if (score[i] <= best[i]) continue;
                best[i] = score[i];
                labels[i] = (byte)label;
            }
        }

        return _orientation.Undo(new LabelVolume(canonical, labels), _orientation.OriginalGrid);
    }

    private static IntensityStatistics CtStatistics(ForegroundIntensity? planned) => planned is null
        ? DefaultCtWindow
        : new IntensityStatistics(planned.Mean, planned.Deviation, planned.LowerClip, planned.UpperClip);

    private float[] ScoresOf(Tensor logits, int label)
    {
        using var plane = logits[label].contiguous();
        return Resampler.ScoresToGrid(plane.data<float>().ToArray(), classes: 1, Input.Grid, _orientation.CanonicalGrid, _maxThreads);
    }
}
