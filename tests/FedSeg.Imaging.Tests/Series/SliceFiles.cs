using System.Buffers.Binary;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Series;

/// <summary>Writes the slices of a stack as signed 16-bit MR files, one after the other, with any header changed on the way.</summary>
internal sealed class SliceFiles(string directory)
{
    public static readonly AxisDirections Axial = new(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0));

    public string SeriesUid { get; init; } = "1.2.3.4";

    public string FrameOfReferenceUid { get; init; } = "1.2.3.5";

    /// <summary>Writes slice <paramref name="index"/> at a position, filled by <paramref name="valueAt"/> (row, column).</summary>
    public void Write(int index, Vector3D positionMm, AxisDirections directions, int rows, int columns, (double Row, double Column) spacingMm, Func<int, int, short> valueAt, Action<DataSetBuilder>? change = null)
    {
        var pixels = new byte[2 * rows * columns];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                BinaryPrimitives.WriteInt16LittleEndian(pixels.AsSpan(2 * (row * columns + column)), valueAt(row, column));
            }
        }

        var (x, y) = (directions.Column, directions.Row);
        var set = new DataSetBuilder()
            .Text(Tags.SopClassUid, "1.2.840.10008.5.1.4.1.1.4")
            .Text(Tags.SopInstanceUid, $"{SeriesUid}.{index + 1}")
            .Text(Tags.StudyInstanceUid, "1.2.3")
            .Text(Tags.SeriesInstanceUid, SeriesUid)
            .Text(Tags.FrameOfReferenceUid, FrameOfReferenceUid)
            .Text(Tags.Modality, "MR")
            .Text(Tags.PatientId, "P1")
            .Text(Tags.ImageType, "ORIGINAL", "PRIMARY")
            .Numbers(Tags.ImagePositionPatient, positionMm.X, positionMm.Y, positionMm.Z)
            .Numbers(Tags.ImageOrientationPatient, x.X, x.Y, x.Z, y.X, y.Y, y.Z)
            .Numbers(Tags.PixelSpacing, spacingMm.Row, spacingMm.Column)
            .Numbers(Tags.Rows, rows)
            .Numbers(Tags.Columns, columns)
            .Numbers(Tags.SamplesPerPixel, 1)
            .Text(Tags.PhotometricInterpretation, "MONOCHROME2")
            .Numbers(Tags.BitsAllocated, 16)
            .Numbers(Tags.BitsStored, 16)
            .Numbers(Tags.HighBit, 15)
            .Numbers(Tags.PixelRepresentation, 1)
            .Bytes(Tags.PixelData, DicomVr.OW, pixels);
        change?.Invoke(set);
        DicomWriter.Write(Path.Combine(directory, $"{(index * 7919 + 13) % 10007:x5}.dcm"), set);
    }

    /// <summary>An axial slice of 3 by 4 pixels at height <paramref name="z"/>.</summary>
    public void WriteAxial(int index, double z, Action<DataSetBuilder>? change = null) =>
        Write(index, new(0, 0, z), Axial, 3, 4, (1, 1), (_, _) => (short)index, change);
}
