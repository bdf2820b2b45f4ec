using FedSeg.Cli.Programs;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Nifti;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Cli.Imaging;

/// <summary>
/// Two label maps of one image on one grid. NIfTI brings its grid; DICOM segmentations keep only the slices where they hold something,
/// so they are laid onto the NIfTI's grid, or two of them onto one that holds both. Labels of a segmentation are its segments' numbers.
/// </summary>
internal sealed record LabelMapPair(LabelVolume Reference, LabelVolume Prediction)
{
    // As far as a segmentation may lie from its image's voxel centres.
    private const double ToleranceVoxels = 0.1;

    /// <exception cref="BadInputException">The files are not on one grid, or their segments don't mean the same.</exception>
    public static LabelMapPair Read(string reference, string prediction, CancellationToken cancellationToken) =>
        (NiftiReader.IsNifti(reference), NiftiReader.IsNifti(prediction)) switch
        {
            (true, true) => OnOneGrid(Nifti(reference, cancellationToken), Nifti(prediction, cancellationToken), prediction),
            (true, false) => OfNifti(Nifti(reference, cancellationToken), prediction),
            (false, true) => Swapped(OfNifti(Nifti(prediction, cancellationToken), reference)),
            _ => OfSegmentations(Header(reference), Header(prediction)),
        };

    /// <summary>The same voxels with other distances, mm along x, y, z of the reference as its file has them.</summary>
    public LabelMapPair WithSpacing(Vector3D spacingMm)
    {
        var grid = Reference.Grid with { SpacingMm = spacingMm };
        return new LabelMapPair(new LabelVolume(grid, Reference.Labels), new LabelVolume(grid, Prediction.Labels));
    }

    private static LabelMapPair OfNifti(LabelVolume nifti, string segmentation) => new(nifti, Lay(Header(segmentation), nifti.Grid));

    private static LabelMapPair Swapped(LabelMapPair pair) => new(pair.Prediction, pair.Reference);

    private static LabelMapPair OfSegmentations(SegmentationHeader reference, SegmentationHeader prediction)
    {
        var names = reference.Segments.ToLookup(segment => segment.Number, segment => segment.Label);
        if (prediction.Segments.FirstOrDefault(segment => names.Contains(segment.Number) && !SameName(names[segment.Number].First(), segment.Label)) is { } other)
        {
            throw new BadInputException($"{prediction.Path}: segment {other.Number} has another label than in {reference.Path}; number the segments of both files alike.");
        }

        var grid = SegmentationGrid.Covering([reference, prediction]);
        return new LabelMapPair(Lay(reference, grid), Lay(prediction, grid));
    }

    private static bool SameName(string one, string other) => string.Equals(one.Trim(), other.Trim(), StringComparison.OrdinalIgnoreCase);

    private static LabelVolume Nifti(string path, CancellationToken cancellationToken) => NiftiReader.ReadLabels(path, cancellationToken: cancellationToken);

    private static SegmentationHeader Header(string path)
    {
        var file = DicomFile.OpenHeader(path);
        return SegmentationHeader.IsSegmentation(file.DataSet.Text(Dicom.DataSets.Tags.SopClassUid))
            ? SegmentationHeader.Of(file)
            : throw new BadInputException($"{path} is a DICOM file, but no segmentation; give a DICOM SEG or a NIfTI label map (.nii, .nii.gz).");
    }

    private static LabelVolume Lay(SegmentationHeader header, GridGeometry grid) => SegmentationReader.ReadByNumber(header, grid) switch
    {
        SegmentationOutcome.Mapped mapped => mapped.Labels,
        SegmentationOutcome.Refused refused => throw new BadInputException($"{refused.Reason}: {refused.Detail}"),
        _ => throw new InvalidOperationException("A segmentation is either mapped or refused."),
    };

    /// <summary>Two maps whose voxels are at the same places, perhaps in another order.</summary>
    private static LabelMapPair OnOneGrid(LabelVolume reference, LabelVolume prediction, string path)
    {
        var (ours, theirs) = (CanonicalOrientation.Of(reference.Grid), CanonicalOrientation.Of(prediction.Grid));
        if (!SamePlaces(ours.CanonicalGrid, theirs.CanonicalGrid))
        {
            throw new BadInputException(
                $"{path}: the prediction is on another grid ({Describe(prediction.Grid)}) than the reference ({Describe(reference.Grid)}); resample one onto the other first.");
        }

        var canonical = new LabelVolume(ours.CanonicalGrid, theirs.Apply(prediction).Labels);
        return new LabelMapPair(reference, ours.Undo(canonical, reference.Grid));
    }

    private static bool SamePlaces(GridGeometry a, GridGeometry b)
    {
        if (a.Size != b.Size) return false;
        var tolerance = ToleranceVoxels * Math.Min(a.SpacingMm.X, Math.Min(a.SpacingMm.Y, a.SpacingMm.Z));
        Index3[] corners = [new(0, 0, 0), new(a.Size.Z, 0, 0), new(0, a.Size.Y, 0), new(0, 0, a.Size.X)];
        return corners.All(at => (a.PositionMm(at.Z, at.Y, at.X) - b.PositionMm(at.Z, at.Y, at.X)).Length <= tolerance);
    }

    private static string Describe(GridGeometry grid)
    {
        var ((sizeZ, sizeY, sizeX), spacing, origin) = (grid.Size, grid.SpacingMm, grid.OriginMm);
        return FormattableString.Invariant(
            $"{sizeX}×{sizeY}×{sizeZ} voxels of {spacing.X:0.###}×{spacing.Y:0.###}×{spacing.Z:0.###} mm from {origin.X:0.##}, {origin.Y:0.##}, {origin.Z:0.##}");
    }
}
