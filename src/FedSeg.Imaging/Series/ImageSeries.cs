using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>A series whose slices make one regular volume.</summary>
/// <param name="Slices">Sorted by growing position along the normal: slice i of the grid is element i.</param>
/// <param name="Grid">The volume's grid, from positions and orientation only; SliceThickness and InstanceNumber are never looked at.</param>
public sealed record ImageSeries(IReadOnlyList<SliceHeader> Slices, GridGeometry Grid)
{
    public string StudyUid => Slices[0].StudyUid;

    public string SeriesUid => Slices[0].SeriesUid;

    public string? FrameOfReferenceUid => Slices[0].FrameOfReferenceUid;

    public string Modality => Slices[0].Modality;

    public string PatientKey => Slices[0].PatientKey;
}

/// <summary>What became of one series: a volume's worth of slices, or a refusal by name.</summary>
public abstract record SeriesOutcome
{
    private SeriesOutcome() { }

    public sealed record Usable(ImageSeries Series) : SeriesOutcome;

    /// <param name="Detail">What is wrong, where and what to do; for the site's own eyes.</param>
    public sealed record Refused(QuarantineReason Reason, string Detail) : SeriesOutcome;
}
