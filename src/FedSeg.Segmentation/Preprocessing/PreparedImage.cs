using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Cropping;
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
    private readonly CropBox _box;
    private readonly int _maxThreads;

    private PreparedImage(Volume input, CanonicalOrientation orientation, CropBox box, int maxThreads)
    {
        Input = input;
        _orientation = orientation;
        _box = box;
        _maxThreads = maxThreads;
    }

    /// <summary>
    /// On the canonical patient axes, cropped, at about the plan's spacing, normalised: MR by the image's own z-score, CT by the plan's foreground statistics.
    /// </summary>
    public Volume Input { get; }

    /// <summary>Crops an image, normalises it, then brings it to the plan's grid; the order of nnU-Net.</summary>
    /// <param name="image">The image on the scanner's grid.</param>
    /// <param name="preprocessing">The plan's rules.</param>
    /// <param name="maxThreads">Threads used for resampling, here and on the way back; -1 for all.</param>
    public static PreparedImage From(Volume image, PreprocessingSpec preprocessing, int maxThreads = -1)
    {
        var orientation = CanonicalOrientation.Of(image.Grid);
        var canonical = orientation.Apply(image);
        var box = preprocessing.Crop == CropRule.None ? CropBox.All(canonical.Grid) : CropBox.OfNonzero(canonical);
        var spacing = new Vector3D(X: preprocessing.SpacingMm[2], Y: preprocessing.SpacingMm[1], Z: preprocessing.SpacingMm[0]);
        return new PreparedImage(Resampler.ToSpacing(Normalise(box.Cut(canonical), preprocessing), spacing, maxThreads), orientation, box, maxThreads);
    }

    /// <summary>The part of the canonical grid that was kept.</summary>
    internal CropBox Box => _box;

    /// <summary>A prepared image as it was, from its parts.</summary>
    /// <param name="input">As <see cref="Input"/>.</param>
    /// <param name="original">The scanner's grid.</param>
    /// <param name="boxStart">First voxel of <see cref="Box"/> on the canonical axes.</param>
    /// <param name="boxSize">Its voxels along each axis.</param>
    /// <param name="maxThreads">Threads used on the way back; -1 for all.</param>
    internal static PreparedImage Restore(Volume input, GridGeometry original, Index3 boxStart, Index3 boxSize, int maxThreads)
    {
        var orientation = CanonicalOrientation.Of(original);
        return new PreparedImage(input, orientation, new CropBox(orientation.CanonicalGrid, boxStart, boxSize), maxThreads);
    }

    /// <summary>Brings labels drawn on the image to the network's grid; what lies outside the crop is lost.</summary>
    public LabelVolume Prepare(LabelVolume labels) => Resampler.ToGrid(_box.Cut(_orientation.Apply(labels)), Input.Grid, _maxThreads);

    /// <summary>
    /// Takes the logits of each slice of the network's grid and labels the cropped part of the scanner's grid, its axes still the canonical ones. The logits are
    /// resampled, not the classes, so that borders stay smooth.
    /// </summary>
    internal ScoreLabelling StartLabelling(int classes) => new(classes, Input.Grid, _box.Part, _maxThreads);

    /// <summary>Puts labels of the cropped part back into the whole image and turns its axes back to the scanner's.</summary>
    internal LabelVolume ToScannerGrid(LabelVolume labels) => _orientation.Undo(_box.PutBack(labels), _orientation.OriginalGrid);

    /// <summary>Brings an image of the network's grid, such as an uncertainty, to the scanner's; 0 outside the crop.</summary>
    internal Volume ToScannerGrid(Volume image) =>
        _orientation.Undo(_box.PutBack(Resampler.ToGrid(image, _box.Part, _maxThreads)), _orientation.OriginalGrid);

    private static Volume Normalise(Volume image, PreprocessingSpec preprocessing)
    {
        if (preprocessing.Modality == "CT") return IntensityNormalisation.ClipAndZScore(image, CtStatistics(preprocessing.Intensity));
        return preprocessing.Crop == CropRule.NonzeroMasked
            ? IntensityNormalisation.ZScoreWithin(image, NonzeroMask.Of(image))
            : IntensityNormalisation.ZScore(image);
    }

    private static IntensityStatistics CtStatistics(ForegroundIntensity? planned) => planned is null
        ? DefaultCtWindow
        : new IntensityStatistics(planned.Mean, planned.Deviation, planned.LowerClip, planned.UpperClip);
}
