using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;

namespace FedSeg.Imaging.Tests.Contours;

/// <summary>Writes RT structure sets by hand; regions are numbered from 1.</summary>
internal static class StructureSetFiles
{
    public static DataSetBuilder Build(
        string frameOfReferenceUid, string[] referencedSeries, params (string Name, DataSetBuilder[] Contours)[] regions) =>
            new DataSetBuilder()
        .Text(Tags.SopClassUid, "1.2.840.10008.5.1.4.1.1.481.3")
        .Text(Tags.SopInstanceUid, "1.8")
        .Text(Tags.StudyInstanceUid, "1.2.3")
        .Text(Tags.SeriesInstanceUid, "1.8.1")
        .Text(Tags.Modality, "RTSTRUCT")
        .Sequence(Tags.ReferencedFrameOfReferenceSequence, new DataSetBuilder()
            .Text(Tags.FrameOfReferenceUid, frameOfReferenceUid)
            .Sequence(Tags.RtReferencedStudySequence, new DataSetBuilder()
                .Sequence(Tags.RtReferencedSeriesSequence,
                    referencedSeries.Select(uid => new DataSetBuilder().Text(Tags.SeriesInstanceUid, uid)))))
        .Sequence(Tags.StructureSetRoiSequence, regions.Select((region, index) => new DataSetBuilder()
            .Numbers(Tags.RoiNumber, index + 1)
            .Text(Tags.ReferencedFrameOfReferenceUid, frameOfReferenceUid)
            .Text(Tags.RoiName, region.Name)))
        .Sequence(Tags.RoiContourSequence, regions.Select((region, index) => new DataSetBuilder()
            .Sequence(Tags.ContourSequence, region.Contours)
            .Numbers(Tags.ReferencedRoiNumber, index + 1)));

    /// <summary>A closed contour at height <paramref name="z"/> through corners x, y, in mm.</summary>
    public static DataSetBuilder Contour(double z, params (double X, double Y)[] corners) => new DataSetBuilder()
        .Text(Tags.ContourGeometricType, "CLOSED_PLANAR")
        .Numbers(Tags.NumberOfContourPoints, corners.Length)
        .Numbers(Tags.ContourData, [.. corners.SelectMany(corner => new[] { corner.X, corner.Y, z })]);
}
