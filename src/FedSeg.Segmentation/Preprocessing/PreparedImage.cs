using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Volumes;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>An image as the network sees it, and the way back to the scanner's grid.</summary>
public sealed class PreparedImage
{
    private readonly GridGeometry _study;

    private PreparedImage(Volume input, GridGeometry study)
    {
        Input = input;
        _study = study;
    }

    /// <summary>On the canonical axes, at the plan's spacing, normalised.</summary>
    public Volume Input { get; }

    /// <summary>Normalises an image, then brings it to the plan's grid; the order of nnU-Net.</summary>
    public static PreparedImage From(Volume image, PreprocessingSpec preprocessing)
    {
        var normalised = image.Voxels.AsSpan().ToArray();
        IntensityNormalisation.Apply(normalised, preprocessing.Modality);
        var grid = CanonicalGrid.Of(image.Grid, preprocessing.SpacingMm);
        return new PreparedImage(new Volume(grid, new GridSampling(image.Grid, grid).Linear(normalised)), image.Grid);
    }

    /// <summary>Brings labels drawn on the image to the network's grid.</summary>
    public LabelVolume Prepare(LabelVolume labels) => new(Input.Grid, new GridSampling(labels.Grid, Input.Grid).Nearest(labels.Labels));

    /// <summary>
    /// From logits <c>[classes, D, H, W]</c> on the network's grid to the most likely class of each voxel of the scanner's grid. The logits are resampled, not the classes, so that borders stay smooth;
    /// one class at a time, so that memory does not grow with the classes.
    /// </summary>
    internal LabelVolume LabelsFrom(Tensor logits)
    {
        var sampling = new GridSampling(Input.Grid, _study);
        var labels = new byte[_study.VoxelCount];
        float[]? best = null;
        for (var label = 0; label < logits.shape[0]; label++)
        {
            using var plane = logits[label].contiguous();
            var score = sampling.Linear(plane.data<float>().ToArray());
            if (best is null)
            {
                best = score;
                continue;
            }

            for (var i = 0; i < score.Length; i++)
            {
                if (score[i] <= best[i]) continue;
                best[i] = score[i];
                labels[i] = (byte)label;
            }
        }

        return new LabelVolume(_study, labels);
    }
}
