using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>Slices that make one regular volume.</summary>
/// <param name="Slices">Sorted by growing position along the normal.</param>
/// <param name="Planes">The grid's plane of each slice; 0, 1, 2… where no slice is missing.</param>
/// <param name="Grid">
/// The volume's grid, from positions and orientation only; SliceThickness, SliceLocation and InstanceNumber are never looked at.
/// </param>
/// <param name="Shear">
/// How the slices lie on the grid where a tilted stack was straightened; <see langword="null"/> where they are its planes.
/// </param>
public sealed record ImageSeries(IReadOnlyList<SliceHeader> Slices, IReadOnlyList<int> Planes, GridGeometry Grid, PlaneShear? Shear = null)
{
    public string StudyUid => Slices[0].StudyUid;

    public string SeriesUid => Slices[0].SeriesUid;

    public string? FrameOfReferenceUid => Slices[0].FrameOfReferenceUid;

    public string Modality => Slices[0].Modality;

    /// <summary>As in <see cref="SliceHeader.PatientKey"/>, the same in all slices.</summary>
    public string? PatientKey => Slices[0].PatientKey;

    /// <summary>Planes of the grid that no slice fills (<see cref="SeriesOptions.FillGaps"/>).</summary>
    public IReadOnlyList<int> MissingPlanes => [.. Enumerable.Range(0, Grid.Size.Z).Except(Planes)];

    /// <summary>The slice that fills a plane of the grid, or <see langword="null"/>.</summary>
    public SliceHeader? SliceAt(int plane)
    {
        // A missing plane only ever moves a slice to a higher one.
        for (var i = Math.Min(plane, Slices.Count - 1); i >= 0; i--)
        {
            if (Planes[i] == plane) return Slices[i];
            if (Planes[i] < plane) break;
        }

        return null;
    }
}

/// <summary>
/// The slices of a tilted stack on a straightened grid: the first pixel of plane z lies at row First.Row + z · Step.Row and column
/// First.Column + z · Step.Column of the grid, in pixels.
/// </summary>
public sealed record PlaneShear((double Row, double Column) First, (double Row, double Column) Step)
{
    public (double Row, double Column) At(int plane) => (First.Row + plane * Step.Row, First.Column + plane * Step.Column);
}
