using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Segments;

namespace FedSeg.Imaging.Contours;

/// <summary>A region of interest of a structure set.</summary>
/// <param name="Name">Free text; the site's label table maps it to the run's labels.</param>
/// <param name="FrameOfReferenceUid">The frame that its contours are drawn in; <see langword="null"/> where the file does not say.</param>
/// <param name="HasContours">Something is drawn; a template's empty entry says nothing about the patient.</param>
public sealed record Structure(int Number, string Name, string? FrameOfReferenceUid, bool HasContours);

/// <summary>What an RT structure set (PS3.3 §A.19) says of itself; the contours' points are not read.</summary>
public sealed record StructureSetHeader : SegmentationObject
{
    private const string StructureSetStorage = "1.2.840.10008.5.1.4.1.1.481.3";

    /// <summary>The regions in the order of their numbers.</summary>
    public required IReadOnlyList<Structure> Structures { get; init; }

    /// <summary>Regions without contours are left out.</summary>
    public override IReadOnlyList<string> Labels =>
        [.. Structures.Where(structure => structure.HasContours).Select(structure => structure.Name)];

    public static bool IsStructureSet(string? sopClassUid) => sopClassUid == StructureSetStorage;

    /// <exception cref="DicomException">An element that a structure set must have is absent or impossible.</exception>
    public static StructureSetHeader Of(DicomFile file)
    {
        var set = file.DataSet;
        var drawn = set.Items(Tags.RoiContourSequence)
            .Where(item => item.Items(Tags.ContourSequence).Count > 0)
            .Select(item => item.RequiredWholeNumber(Tags.ReferencedRoiNumber))
            .ToHashSet();
        var frames = set.Items(Tags.ReferencedFrameOfReferenceSequence);
        var series = frames
            .SelectMany(frame => frame.Items(Tags.RtReferencedStudySequence))
            .SelectMany(study => study.Items(Tags.RtReferencedSeriesSequence))
            .ToArray();
        Structure[] structures =
            [.. set.Items(Tags.StructureSetRoiSequence).Select(item => StructureOf(item, drawn)).OrderBy(structure => structure.Number)];
        return new StructureSetHeader
        {
            Path = file.Path,
            SopInstanceUid = set.RequiredText(Tags.SopInstanceUid),
            StudyUid = set.RequiredText(Tags.StudyInstanceUid),
            SeriesUid = set.RequiredText(Tags.SeriesInstanceUid),
            FrameOfReferenceUids =
                Present(structures.Where(structure => structure.HasContours).Select(structure => structure.FrameOfReferenceUid)),
            ReferencedSeriesUids = Present(series.Select(item => item.Text(Tags.SeriesInstanceUid))),
            ReferencedInstanceUids =
                Present(series.SelectMany(item => item.Items(Tags.ContourImageSequence))
                    .Select(image => image.Text(Tags.ReferencedSopInstanceUid))),
            Structures = structures,
        };
    }

    private static Structure StructureOf(DataSet item, HashSet<int> drawn)
    {
        var number = item.RequiredWholeNumber(Tags.RoiNumber);
        return new Structure(number, item.Text(Tags.RoiName) ?? "", item.Text(Tags.ReferencedFrameOfReferenceUid), drawn.Contains(number));
    }

    private static HashSet<string> Present(IEnumerable<string?> uids) => uids.OfType<string>().ToHashSet(StringComparer.Ordinal);
}
