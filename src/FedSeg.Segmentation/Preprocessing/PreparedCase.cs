using System.Collections.Immutable;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>A case as the network sees it, with what is needed to score it as the radiologist sees it.</summary>
public sealed class PreparedCase
{
    /// <summary>
    /// Stands in <see cref="Labels"/> for what lies outside the body, in a plan that normalises within it: background for the loss, and 0 in the image whatever
    /// augmentation does. Source: nnU-Net v2, which writes −1.
    /// </summary>
    internal const byte Outside = byte.MaxValue;

    private const int LargestVoxelList = 10_000;

    // Voxel indices of each class that occurs, evenly thinned to at most LargestVoxelList.
    private readonly int[][] _foreground;

    /// <param name="patientKey">Pseudonym of the patient; stays at the site.</param>
    /// <param name="image">The prepared image.</param>
    /// <param name="labels">The reference on the prepared image's grid.</param>
    /// <param name="reference">The reference as it was read.</param>
    /// <param name="isMasked">Whether labels tell <see cref="Outside"/>.</param>
    /// <exception cref="ArgumentException">Image and labels differ in size.</exception>
    public PreparedCase(string patientKey, PreparedImage image, LabelVolume labels, LabelVolume reference, bool isMasked = false)
    {
        if (image.Input.Grid.Size != labels.Grid.Size) throw new ArgumentException("Image and labels differ in size.", nameof(labels));
        PatientKey = patientKey;
        Prepared = image;
        Labels = labels;
        Reference = reference;
        IsMasked = isMasked;
        _foreground = VoxelsByClass(labels.Labels, isMasked);
    }

    public string PatientKey { get; }

    /// <summary>The network's input and the way back from it.</summary>
    public PreparedImage Prepared { get; }

    /// <summary>Normalised image on the plan's grid.</summary>
    public Volume Image => Prepared.Input;

    /// <summary>Whether the image is 0 outside the body by the plan, and <see cref="Labels"/> tells where that is.</summary>
    public bool IsMasked { get; }

    /// <summary>The reference on the plan's grid.</summary>
    public LabelVolume Labels { get; }

    /// <summary>The reference on the scanner's own grid: what predictions are scored against.</summary>
    public LabelVolume Reference { get; }

    /// <summary>Classes that nobody draws at this case's site: what is background in its labels may be one of them.</summary>
    public ImmutableArray<byte> Undrawn { get; init; } = [];

    /// <summary>Voxels along each axis of the plan's grid.</summary>
    public Index3 Size => Image.Grid.Size;

    /// <summary>Voxel distance on the plan's grid, mm.</summary>
    public Vector3D Spacing => Image.Grid.SpacingMm;

    /// <summary>Bytes of the arrays held.</summary>
    public long Bytes => (long)Image.Voxels.Length * sizeof(float) + Labels.Labels.Length + Reference.Labels.Length;

    /// <summary>A class uniformly among those present, then a voxel of it; <see langword="null"/> where nothing is labelled.</summary>
    internal Index3? DrawForeground(Random random)
    {
        if (_foreground.Length == 0) return null;
        var voxels = _foreground[random.Next(_foreground.Length)];
        var index = voxels[random.Next(voxels.Length)];
        return new Index3(index / (Size.Y * Size.X), index / Size.X % Size.Y, index % Size.X);
    }

    private static int[][] VoxelsByClass(byte[] labels, bool isMasked)
    {
        var counts = new int[256];
        foreach (var label in labels) counts[label]++;

        var lists = new List<int>?[256];
        var seen = new int[256];
        for (var i = 0; i < labels.Length; i++)
        {
            var label = labels[i];
            if (label == 0 || isMasked && label == Outside) continue;
            var stride = (counts[label] + LargestVoxelList - 1) / LargestVoxelList;
            if (seen[label]++ % stride == 0) (lists[label] ??= []).Add(i);
        }

        return [.. lists.OfType<List<int>>().Select(list => list.ToArray())];
    }
}
