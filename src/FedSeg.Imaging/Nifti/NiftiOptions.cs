namespace FedSeg.Imaging.Nifti;

/// <summary>What a NIfTI file may ask for, and how exact its geometry must be.</summary>
public sealed class NiftiOptions
{
    /// <summary>The defaults of every property.</summary>
    public static NiftiOptions Default { get; } = new();

    /// <summary>Most voxels of one file; nothing is allocated beyond it. From 1 to <see cref="Array.MaxLength"/>.</summary>
    public long MaxVoxels { get; init; } = 500_000_000;

    /// <summary>Most bytes between the start of the file and the first voxel (header extensions).</summary>
    public int MaxHeaderBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>
    /// Largest cosine between two axes; beyond it the grid is sheared and refused. A series may lean by a tenth of a degree, and so may its
    /// file.
    /// </summary>
    public double OrthogonalityTolerance { get; init; } = 2e-3;

    /// <summary>
    /// Take a file that states neither sform nor qform, with its first axis to the patient's left, as nibabel does. Only for comparing two
    /// files with each other: where the patient's left is, such a file can't tell.
    /// </summary>
    public bool AllowMissingOrientation { get; init; }
}
