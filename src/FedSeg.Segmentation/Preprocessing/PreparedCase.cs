using System.Collections.Immutable;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// A case as the network sees it, with what is needed to score it as the radiologist sees it; in memory, or in a file that is mapped into
/// it. Training reads voxels where they lie; <see cref="Prepared"/>, <see cref="Labels"/> and <see cref="Reference"/> of a case in a file
/// are read anew each time they are asked for.
/// </summary>
public sealed class PreparedCase
{
    /// <summary>
    /// Stands in <see cref="Labels"/> for what lies outside the body, in a plan that normalises within it: background for the loss, and 0 in the image whatever
    /// augmentation does. Source: nnU-Net v2, which writes −1.
    /// </summary>
    internal const byte Outside = byte.MaxValue;

    private const int LargestVoxelList = 10_000;

    private readonly (PreparedImage Image, LabelVolume Labels, LabelVolume Reference)? _held;
    private readonly CaseFile? _file;

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
        _held = (image, labels, reference);
        Grid = image.Input.Grid;
        IsMasked = isMasked;
        _foreground = VoxelsByClass(labels.Labels, isMasked);
    }

    /// <summary>A case in a file.</summary>
    internal PreparedCase(CaseFile file)
    {
        _file = file;
        PatientKey = file.Facts.PatientKey;
        Grid = file.Facts.Input;
        IsMasked = file.Facts.IsMasked;
        Undrawn = file.Facts.Undrawn;
        _foreground = VoxelsByClass(file.Labels, IsMasked);
    }

    public string PatientKey { get; }

    /// <summary>The plan's grid.</summary>
    public GridGeometry Grid { get; }

    /// <summary>The network's input and the way back from it.</summary>
    public PreparedImage Prepared => _held?.Image
        ?? PreparedImage.Restore(new Volume(Grid, _file!.Image.ToArray()), _file.Facts.Original, _file.Facts.BoxStart, _file.Facts.BoxSize, maxThreads: 1);

    /// <summary>Whether the image is 0 outside the body by the plan, and <see cref="Labels"/> tells where that is.</summary>
    public bool IsMasked { get; }

    /// <summary>The reference on the plan's grid.</summary>
    public LabelVolume Labels => _held?.Labels ?? new LabelVolume(Grid, _file!.Labels.ToArray());

    /// <summary>The reference on the scanner's own grid: what predictions are scored against.</summary>
    public LabelVolume Reference => _held?.Reference ?? new LabelVolume(_file!.Facts.Original, _file.Reference.ToArray());

    /// <summary>Normalised intensities in memory order, where they lie.</summary>
    internal ReadOnlySpan<float> Voxels => _held is { } held ? held.Image.Input.Voxels : _file!.Image;

    /// <summary>Classes of <see cref="Labels"/>, where they lie.</summary>
    internal ReadOnlySpan<byte> LabelVoxels => _held is { } held ? held.Labels.Labels : _file!.Labels;

    /// <summary>Classes of <see cref="Reference"/>, where they lie.</summary>
    internal ReadOnlySpan<byte> ReferenceVoxels => _held is { } held ? held.Reference.Labels : _file!.Reference;

    /// <summary>Classes that nobody draws at this case's site: what is background in its labels may be one of them.</summary>
    public ImmutableArray<byte> Undrawn { get; init; } = [];

    /// <summary>Voxels along each axis of the plan's grid.</summary>
    public Index3 Size => Grid.Size;

    /// <summary>Voxel distance on the plan's grid, mm.</summary>
    public Vector3D Spacing => Grid.SpacingMm;

    /// <summary>Bytes of image, labels and reference.</summary>
    public long Bytes => (long)Voxels.Length * sizeof(float) + LabelVoxels.Length + ReferenceVoxels.Length;

    /// <summary>Bytes of them that the process itself has to hold; 0 for a case in a file.</summary>
    public long HeldBytes => _file is null ? Bytes : 0;

    /// <summary>A class uniformly among those present, then a voxel of it; <see langword="null"/> where nothing is labelled.</summary>
    internal Index3? DrawForeground(Random random)
    {
        if (_foreground.Length == 0) return null;
        var voxels = _foreground[random.Next(_foreground.Length)];
        var index = voxels[random.Next(voxels.Length)];
        return new Index3(index / (Size.Y * Size.X), index / Size.X % Size.Y, index % Size.X);
    }

    private static int[][] VoxelsByClass(ReadOnlySpan<byte> labels, bool isMasked)
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
