using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Segments;

/// <summary>
/// The grid of segmentations alone, without their images: the smallest one that holds every frame. Slices run along the normal of the
/// first frame; their distance is the smallest between two frames, or what the file states where all lie in one plane.
/// </summary>
public static class SegmentationGrid
{
    // Files keep positions to about a hundredth of a millimetre; two frames nearer than this are one slice.
    private const double SamePlaneMm = 0.01;
    private const int MostSlices = 16_384;

    /// <summary>The grid that holds all frames of all the files; whether each falls on its voxels is for the reader to say.</summary>
    /// <exception cref="DicomException">A frame lacks geometry, or the frames reach impossibly far.</exception>
    public static GridGeometry Covering(IReadOnlyList<SegmentationHeader> files)
    {
        var first = files[0];
        if (first.Frames is not [{ PositionMm: { } origin, ColumnStepMm: { } column, RowStepMm: { } row }, ..])
        {
            throw new DicomException(DicomFault.MissingElement, $"{first.Path}: the first frame has no position, orientation or pixel spacing (0020,0032; 0020,0037; 0028,0030). Export the segmentation again.");
        }

        var (alongColumn, alongRow) = (column * (1 / column.Length), row * (1 / row.Length));
        var directions = new AxisDirections(alongColumn.Cross(alongRow), alongRow, alongColumn);
        var corners = files.SelectMany(CornersOf).Select(corner => corner - origin).ToList();
        var depths = corners.Select(corner => corner.Dot(directions.Slice)).Order().ToList();
        var spacing = new Vector3D(X: column.Length, Y: row.Length, Z: SliceDistance(depths) ?? StatedSliceDistance(first));
        var (lowZ, countZ) = Extent(first, corners, directions.Slice, spacing.Z);
        var (lowY, countY) = Extent(first, corners, directions.Row, spacing.Y);
        var (lowX, countX) = Extent(first, corners, directions.Column, spacing.X);
        if ((long)countZ * countY * countX > Array.MaxLength) throw TooFar(first);
        var grid = new GridGeometry(new Index3(countZ, countY, countX), spacing, origin, directions);
        return grid with { OriginMm = grid.PositionMm(lowZ, lowY, lowX) };
    }

    private static IEnumerable<Vector3D> CornersOf(SegmentationHeader file)
    {
        foreach (var frame in file.Frames)
        {
            if (frame is not { PositionMm: { } corner, ColumnStepMm: { } column, RowStepMm: { } row }) continue;
            var (right, down) = (column * (file.Columns - 1), row * (file.Rows - 1));
            yield return corner;
            yield return corner + right;
            yield return corner + down;
            yield return corner + right + down;
        }
    }

    private static double? SliceDistance(List<double> depths)
    {
        var gaps = depths.Zip(depths.Skip(1), (near, far) => far - near).Where(gap => gap > SamePlaneMm).ToList();
        return gaps.Count == 0 ? null : gaps.Min();
    }

    private static double StatedSliceDistance(SegmentationHeader file)
    {
        var set = DicomFile.OpenHeader(file.Path).DataSet;
        var groups = set.Items(Tags.SharedFunctionalGroupsSequence).Concat(set.Items(Tags.PerFrameFunctionalGroupsSequence));
        var measures = groups.SelectMany(group => group.Items(Tags.PixelMeasuresSequence)).ToList();
        double? Stated(DicomTag tag) => measures.Select(item => item.Numbers(tag)).FirstOrDefault(numbers => numbers is [> 0])?[0];
        return Stated(Tags.SpacingBetweenSlices) ?? Stated(Tags.SliceThickness) ?? throw new DicomException(
            DicomFault.MissingElement, $"{file.Path}: a single slice without its thickness (0018,0050 or 0018,0088). Export the segmentation again.");
    }

    private static (int Low, int Count) Extent(SegmentationHeader file, List<Vector3D> corners, Vector3D direction, double spacingMm)
    {
        var low = Math.Round(corners.Min(corner => corner.Dot(direction)) / spacingMm);
        var high = Math.Round(corners.Max(corner => corner.Dot(direction)) / spacingMm);
        // Written so that NaN is refused too.
        return high - low < MostSlices && Math.Abs(low) < MostSlices ? ((int)low, (int)(high - low) + 1) : throw TooFar(file);
    }

    private static DicomException TooFar(SegmentationHeader file) => new(
        DicomFault.LimitExceeded, $"{file.Path}: its frames reach farther than {MostSlices} voxels or more than memory holds. Export the segmentation again.");
}
