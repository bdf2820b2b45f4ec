using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Contours;

/// <summary>
/// Lays the closed planar contours of a structure set onto the planes of an image (PS3.3 §C.8.8.6): points go through the grid's inverse
/// affine in full precision, each contour belongs to the plane nearest to it, contours of one region on one plane are combined by
/// exclusive-or, and a voxel belongs to the region when its centre lies inside. Nothing is interpolated between planes.
/// </summary>
internal static class StructureSetReader
{
    /// <summary>
    /// Coordinates come as decimal text; beyond this part of a pixel their digits are noise that would decide ties at random.
    /// </summary>
    private const double PixelDigits = 1e6;

    /// <exception cref="DicomException">The file can't be read, or a contour's points are impossible.</exception>
    public static SegmentationOutcome Read(
        StructureSetHeader header, GridGeometry grid, string? frameOfReferenceUid, LabelVocabulary vocabulary, SegmentationOptions options,
        DicomLimits? limits)
    {
        using var file = DicomFile.Open(header.Path, limits);
        var contours = file.DataSet.Items(Tags.RoiContourSequence)
            .ToLookup(item => item.RequiredWholeNumber(Tags.ReferencedRoiNumber), item => item.Items(Tags.ContourSequence));
        var labels = new LabelVolume(grid, new byte[grid.VoxelCount]);
        foreach (var structure in header.Structures.Where(structure => structure.HasContours))
        {
            if (vocabulary.ClassOf(structure.Name) is not { } label)
            {
                continue;
            }

            if (structure.FrameOfReferenceUid is { } frame && frame != frameOfReferenceUid)
            {
                return header.Refuse(QuarantineReason.SegmentationOfAnotherSeries, $"draws region {structure.Number} in another frame of "
                    + $"reference {Tags.ReferencedFrameOfReferenceUid} than the image's; use contours drawn on this image");
            }

            var planes = new SortedDictionary<int, bool[]>();
            foreach (var contour in contours[structure.Number].SelectMany(items => items))
            {
                if (Draw(contour, grid, planes, options) is { } problem)
                {
                    return header.Refuse(problem.Reason, $"has a contour of region {structure.Number} that {problem.Detail}");
                }
            }

            if (!TryPaint(labels, planes, (byte)label))
            {
                return header.Refuse(QuarantineReason.OverlappingLabels, $"gives region {structure.Number} voxels of another trained "
                    + "region; correct the contours so that they don't overlap");
            }
        }

        return new SegmentationOutcome.Mapped(labels);
    }

    private static (QuarantineReason Reason, string Detail)? Draw(
        DataSet contour, GridGeometry grid, SortedDictionary<int, bool[]> planes, SegmentationOptions options)
    {
        if (contour.Text(Tags.ContourGeometricType) is not ("CLOSED_PLANAR" or "CLOSEDPLANAR_XOR"))
        {
            return (QuarantineReason.UnsupportedSegmentation, $"is not closed {Tags.ContourGeometricType}; points and open lines enclose "
                + "no voxels");
        }

        var numbers = contour.Numbers(Tags.ContourData);
        if (numbers.Count % 3 != 0)
        {
            return (QuarantineReason.UnsupportedSegmentation, $"has {numbers.Count} numbers {Tags.ContourData}, no triples; export it "
                + "again");
        }

        Vector3D[] points = [.. numbers.Chunk(3).Select(point => grid.IndexAt(new(point[0], point[1], point[2])))];
        if (points.Length < 3)
        {
            return null;
        }

        var middle = points.Average(point => point.Z);
        var plane = Math.Round(middle);
        if (points.Any(point => Math.Abs(point.Z - middle) > options.ContourFlatnessVoxels)
            || Math.Abs(middle - plane) > options.ContourPlaneToleranceVoxels)
        {
            return (QuarantineReason.SegmentationGridMismatch, "does not lie in a plane of the image; use contours drawn on this image's "
                + "slices");
        }

        // Written so that NaN is refused too.
        if (!(plane >= 0 && plane < grid.Size.Z))
        {
            return (QuarantineReason.SegmentationGridMismatch, "lies above or below the image; use the series that it was drawn on");
        }

        if (!planes.TryGetValue((int)plane, out var pixels))
        {
            planes[(int)plane] = pixels = new bool[grid.Size.Y * grid.Size.X];
        }

        PolygonFill.Toggle([.. points.Select(point => (Snapped(point.Y), Snapped(point.X)))], pixels, grid.Size.Y, grid.Size.X);
        return null;
    }

    private static double Snapped(double pixel) => Math.Round(pixel * PixelDigits) / PixelDigits;

    private static bool TryPaint(LabelVolume labels, SortedDictionary<int, bool[]> planes, byte label)
    {
        foreach (var (plane, pixels) in planes)
        {
            var target = labels.Labels.AsSpan(plane * pixels.Length, pixels.Length);
            for (var i = 0; i < pixels.Length; i++)
            {
                if (!pixels[i])
                {
                    continue;
                }

                if (target[i] != 0 && target[i] != label)
                {
                    return false;
                }

                target[i] = label;
            }
        }

        return true;
    }
}
