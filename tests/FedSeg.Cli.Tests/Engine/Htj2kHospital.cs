using System.Buffers.Binary;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Engine;

/// <summary>Labelled MR studies whose slices are HTJ2K: the corpus' picture of 24 by 20 pixels, one above the other.</summary>
internal static class Htj2kHospital
{
    private const string Explicit = "1.2.840.10008.1.2.1", Htj2k = "1.2.840.10008.1.2.4.201";
    private const int Slices = 8, Rows = 24, Columns = 20;

    /// <summary>Writes cases of as many patients below a site's folder; the label <c>kidney</c> is drawn in each.</summary>
    public static void Write(string site, int cases)
    {
        var picture = CorpusPicture();
        for (var number = 1; number <= cases; number++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(site, $"case-{number}", "images")).FullName;
            for (var slice = 0; slice < Slices; slice++)
            {
                File.WriteAllBytes(Path.Combine(folder, $"{slice}.dcm"), Compressed(SliceOf(number, slice), picture));
            }

            var images = Assert.Single(DicomFolder.Read(folder, new() { AllowHtj2k = true }).Images);
            var series = Assert.IsType<SeriesOutcome.Usable>(SeriesAssembly.Assemble(images)).Series;
            var labels = new byte[Slices * Rows * Columns];
            labels.AsSpan(labels.Length / 4, labels.Length / 2).Fill(1);
            SegmentationWriter.Write(
                Path.Combine(site, $"case-{number}", "seg.dcm"),
                series,
                new LabelVolume(series.Grid, labels),
                new SegmentationDescription(
                    [SegmentDescription.OfStructure("kidney")], SegmentAlgorithm.Manual, "", $"htj2k/{number}", new DateTime(2026, 1, 1)));
        }
    }

    private static DataSetBuilder SliceOf(int number, int slice) => new DataSetBuilder()
        .Text(Tags.SopClassUid, "1.2.840.10008.5.1.4.1.1.4")
        .Text(Tags.SopInstanceUid, $"1.2.{number}.3.{slice + 1}")
        .Text(Tags.StudyInstanceUid, $"1.2.{number}.1")
        .Text(Tags.SeriesInstanceUid, $"1.2.{number}.2")
        .Text(Tags.FrameOfReferenceUid, $"1.2.{number}.4")
        .Text(Tags.Modality, "MR")
        .Text(Tags.PatientId, $"P{number}")
        .Text(Tags.ImageType, "ORIGINAL", "PRIMARY")
        .Numbers(Tags.ImagePositionPatient, 0, 0, slice)
        .Numbers(Tags.ImageOrientationPatient, 1, 0, 0, 0, 1, 0)
        .Numbers(Tags.PixelSpacing, 1, 1)
        .Numbers(Tags.Rows, Rows)
        .Numbers(Tags.Columns, Columns)
        .Numbers(Tags.SamplesPerPixel, 1)
        .Text(Tags.PhotometricInterpretation, "MONOCHROME2")
        .Numbers(Tags.BitsAllocated, 16)
        .Numbers(Tags.BitsStored, 12)
        .Numbers(Tags.HighBit, 11)
        .Numbers(Tags.PixelRepresentation, 0);

    /// <summary>The code stream of the corpus' picture: the item that begins with its start marker.</summary>
    private static byte[] CorpusPicture()
    {
        var file = File.ReadAllBytes(RepositoryFile.Find("tests", "FedSeg.Dicom.Tests", "Corpus", "u12.htj2k201.dcm"));
        ReadOnlySpan<byte> marker = [0xFF, 0x4F, 0xFF, 0x51];
        var start = file.AsSpan().IndexOf(marker);
        return file[start..(start + BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(start - 4)))];
    }

    /// <summary>A file without pixels, with another transfer syntax in its meta group and the picture at its end (PS3.5 §A.4).</summary>
    private static byte[] Compressed(DataSetBuilder set, byte[] picture)
    {
        var plain = DicomWriter.Encode(set).AsSpan();
        var syntax = plain.IndexOf("1.2.840.10008.1.2.1\0"u8);
        const int groupLength = 128 + 4 + 8;
        var more = Htj2k.Length + 1 - (Explicit.Length + 1);
        var group = plain[groupLength..];
        BinaryPrimitives.WriteUInt32LittleEndian(group, BinaryPrimitives.ReadUInt32LittleEndian(group) + (uint)more);
        BinaryPrimitives.WriteUInt16LittleEndian(plain[(syntax - 2)..], (ushort)(Htj2k.Length + 1));
        return
        [
            .. plain[..syntax], .. System.Text.Encoding.ASCII.GetBytes(Htj2k + "\0"), .. plain[(syntax + Explicit.Length + 1)..],
            0xE0, 0x7F, 0x10, 0x00, (byte)'O', (byte)'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF,
            0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0,
            0xFE, 0xFF, 0x00, 0xE0, .. BitConverter.GetBytes(picture.Length), .. picture,
            0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0,
        ];
    }
}
