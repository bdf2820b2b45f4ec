using System.Collections.Immutable;
using System.Globalization;
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

    /// <summary>Voxels that a prepared image may have: 4 GiB of float32.</summary>
    private const long MostVoxels = 1 << 30;

    private readonly CanonicalOrientation _orientation;
    private readonly CropBox _box;
    private readonly int _maxThreads;

    // On the cropped grid before resampling, where the plan normalises within the body; only needed to prepare labels.
    private readonly bool[]? _body;

    private PreparedImage(Volume input, CanonicalOrientation orientation, CropBox box, bool[]? body, int maxThreads)
    {
        _body = body;
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
        var spacing = SpacingOf(preprocessing);
        var cut = box.Cut(canonical);
        var body = preprocessing.Crop == CropRule.NonzeroMasked ? NonzeroMask.Of(cut) : null;
        return new PreparedImage(Resampler.ToSpacing(Normalise(cut, preprocessing, body), spacing, maxThreads), orientation, box, body, maxThreads);
    }

    /// <summary>
    /// Why an image can't be brought to the plan's spacing; <see langword="null"/> when it can. A header that says centimetres where the
    /// image has millimetres would ask for a thousand times its memory; what it asks for is known here before any of it is taken.
    /// </summary>
    public static string? Problem(GridGeometry grid, PreprocessingSpec preprocessing)
    {
        var canonical = CanonicalOrientation.Of(grid).CanonicalGrid;
        var ((z, y, x), own, plan) = (canonical.Size, canonical.SpacingMm, SpacingOf(preprocessing));
        var voxels = z * own.Z / plan.Z * (y * own.Y / plan.Y) * (x * own.X / plan.X);
        return voxels <= MostVoxels ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"{z}×{y}×{x} voxels of {own.Z:0.###}×{own.Y:0.###}×{own.X:0.###} mm would be {voxels:G3} at the plan's {plan.Z:0.###}×{plan.Y:0.###}×{plan.X:0.###} mm; "
            + $"at most {MostVoxels} are prepared. If the spacing is wrong, correct PixelSpacing (0028,0030) or the slices' positions (0020,0032).");
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
        return new PreparedImage(input, orientation, new CropBox(orientation.CanonicalGrid, boxStart, boxSize), body: null, maxThreads);
    }

    /// <summary>Brings labels drawn on the image to the network's grid; what lies outside the crop is lost.</summary>
    public LabelVolume Prepare(LabelVolume labels) => Resampler.ToGrid(_box.Cut(_orientation.Apply(labels)), Input.Grid, _maxThreads);

    /// <summary>The same as a training case has it: with <see cref="PreparedCase.Outside"/> for background outside the body, where the plan normalises within it.</summary>
    /// <exception cref="InvalidOperationException">A class has the number that stands for the outside.</exception>
    internal PreparedCase PrepareCase(string patientKey, LabelVolume reference, ImmutableArray<byte> undrawn)
    {
        var labels = Prepare(reference);
        if (_body is null) return new PreparedCase(patientKey, this, labels, reference) { Undrawn = undrawn };
        if (labels.Labels.Contains(PreparedCase.Outside)) throw new InvalidOperationException($"Class {PreparedCase.Outside} stands for the outside of the body.");
        var body = Resampler.ToGrid(new LabelVolume(_box.Part, [.. _body.Select(inside => inside ? (byte)1 : (byte)0)]), Input.Grid, _maxThreads).Labels;
        // A copy: unresampled, the reference's own array came through.
        byte[] marked = [.. labels.Labels];
        for (var i = 0; i < marked.Length; i++)
        {
            if (body[i] == 0 && marked[i] == 0) marked[i] = PreparedCase.Outside;
        }

        return new PreparedCase(patientKey, this, new LabelVolume(Input.Grid, marked), reference, isMasked: true) { Undrawn = undrawn };
    }

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

    private static Vector3D SpacingOf(PreprocessingSpec preprocessing) =>
        new(X: preprocessing.SpacingMm[2], Y: preprocessing.SpacingMm[1], Z: preprocessing.SpacingMm[0]);

    private static Volume Normalise(Volume image, PreprocessingSpec preprocessing, bool[]? body)
    {
        if (preprocessing.Modality == "CT") return IntensityNormalisation.ClipAndZScore(image, CtStatistics(preprocessing.Intensity));
        return body is null ? IntensityNormalisation.ZScore(image) : IntensityNormalisation.ZScoreWithin(image, body);
    }

    private static IntensityStatistics CtStatistics(ForegroundIntensity? planned) => planned is null
        ? DefaultCtWindow
        : new IntensityStatistics(planned.Mean, planned.Deviation, planned.LowerClip, planned.UpperClip);
}
