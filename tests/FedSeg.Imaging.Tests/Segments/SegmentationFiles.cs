using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Segments;

/// <summary>Writes segmentations of any kind by hand, for what <c>SegmentationWriter</c> never writes. The image's grid is 2 slices of 2 by 3 voxels of 1 mm.</summary>
internal static class SegmentationFiles
{
    public static readonly GridGeometry Grid = new(
        new Index3(2, 2, 3), new Vector3D(1, 1, 1), new Vector3D(0, 0, 0), new AxisDirections(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)));

    /// <param name="frames">Segment (0 in a label map) and slice of each frame.</param>
    public static DataSetBuilder Build(string type, int bits, string[] segments, (int Segment, int Slice)[] frames, byte[] pixels) => new DataSetBuilder()
        .Text(Tags.SopClassUid, type == "LABELMAP" ? "1.2.840.10008.5.1.4.1.1.66.7" : "1.2.840.10008.5.1.4.1.1.66.4")
        .Text(Tags.SopInstanceUid, "1.9")
        .Text(Tags.StudyInstanceUid, "1.2.3")
        .Text(Tags.SeriesInstanceUid, "1.9.1")
        .Text(Tags.FrameOfReferenceUid, "1.2.3.5")
        .Text(Tags.Modality, "SEG")
        .Text(Tags.SegmentationType, type)
        .Text(Tags.SegmentationFractionalType, "PROBABILITY")
        .Numbers(Tags.MaximumFractionalValue, 200)
        .Numbers(Tags.NumberOfFrames, frames.Length)
        .Numbers(Tags.Rows, 2).Numbers(Tags.Columns, 3).Numbers(Tags.SamplesPerPixel, 1)
        .Numbers(Tags.BitsAllocated, bits).Numbers(Tags.BitsStored, bits).Numbers(Tags.HighBit, bits - 1).Numbers(Tags.PixelRepresentation, 0)
        .Sequence(Tags.ReferencedSeriesSequence, new DataSetBuilder().Text(Tags.SeriesInstanceUid, "1.2.3.4"))
        .Sequence(Tags.SegmentSequence, segments.Select((label, index) => new DataSetBuilder().Numbers(Tags.SegmentNumber, index + 1).Text(Tags.SegmentLabel, label)))
        .Sequence(Tags.SharedFunctionalGroupsSequence, new DataSetBuilder()
            .Sequence(Tags.PixelMeasuresSequence, new DataSetBuilder().Numbers(Tags.PixelSpacing, 1, 1))
            .Sequence(Tags.PlaneOrientationSequence, new DataSetBuilder().Numbers(Tags.ImageOrientationPatient, 1, 0, 0, 0, 1, 0)))
        .Sequence(Tags.PerFrameFunctionalGroupsSequence, frames.Select(frame => new DataSetBuilder()
            .Sequence(Tags.PlanePositionSequence, new DataSetBuilder().Numbers(Tags.ImagePositionPatient, 0, 0, frame.Slice))
            .Sequence(Tags.SegmentIdentificationSequence, new DataSetBuilder().Numbers(Tags.ReferencedSegmentNumber, frame.Segment))))
        .Bytes(Tags.PixelData, DicomVr.OB, pixels);
}
