using FedSeg.Dicom;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Cases;

/// <summary>One image series that was found and what can be made of it.</summary>
/// <param name="Reason">Why it is not usable: the reason's name and the detail; <see langword="null"/> when it is usable.</param>
/// <param name="Grid">The volume's grid; <see langword="null"/> when it is not usable.</param>
/// <param name="Orientation">Where the column, row and slice index grow to, such as <c>LPH</c> (left, posterior, head); the nearest letters for oblique stacks.</param>
/// <param name="Segmentations">Paths of the segmentations that refer to the series.</param>
public sealed record ScannedSeries(
    string Uid,
    string Modality,
    int Files,
    bool Usable,
    string? Reason,
    GridGeometry? Grid,
    string? Orientation,
    IReadOnlyList<string> Segmentations);

/// <summary>Every series below a folder and every DICOM file that can't be used (<c>fedseg dicom scan</c>); no pixel is decoded.</summary>
public sealed record DicomScan(IReadOnlyList<ScannedSeries> Series, IReadOnlyList<FileProblem> Quarantined)
{
    /// <exception cref="IOException">The folder is not there or can't be listed.</exception>
    public static DicomScan Of(string directory, DicomLimits? limits = null, SeriesOptions? options = null, CancellationToken cancellationToken = default)
    {
        var folder = DicomFolder.Read(directory, limits, cancellationToken);
        var series = folder.Images.Select(slices =>
        {
            var uid = slices[0].SeriesUid;
            var instances = slices.Select(slice => slice.SopInstanceUid).ToHashSet(StringComparer.Ordinal);
            var segmentations = folder.Segmentations
                .Where(segmentation => segmentation.ReferencedSeriesUids.Contains(uid) || segmentation.ReferencedInstanceUids.Overlaps(instances))
                .Select(segmentation => segmentation.Path);
            return SeriesAssembly.Assemble(slices, options) switch
            {
                SeriesOutcome.Usable { Series: var usable } => new ScannedSeries(
                    uid, usable.Modality, slices.Count, true, null, usable.Grid, LettersOf(usable.Grid.Directions), [.. segmentations]),
                SeriesOutcome.Refused refused => new ScannedSeries(
                    uid, slices[0].Modality, slices.Count, false, $"{refused.Reason}: {refused.Detail}", null, null, [.. segmentations]),
                _ => throw new InvalidOperationException("A series is either usable or refused."),
            };
        });
        return new DicomScan([.. series], folder.Problems);
    }

    private static string LettersOf(AxisDirections directions) =>
        string.Concat(Letter(directions.Column), Letter(directions.Row), Letter(directions.Slice));

    private static char Letter(Vector3D direction)
    {
        var (x, y, z) = (Math.Abs(direction.X), Math.Abs(direction.Y), Math.Abs(direction.Z));
        return x >= y && x >= z ? (direction.X > 0 ? 'L' : 'R')
            : y >= z ? (direction.Y > 0 ? 'P' : 'A')
            : direction.Z > 0 ? 'H' : 'F';
    }
}
