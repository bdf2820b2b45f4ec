using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Writing;

/// <summary>Writes Part 10 files (PS3.10 §7.1) in Explicit VR Little Endian, or with pixel data that are compressed already.</summary>
public static class DicomWriter
{
    /// <summary>FedSeg's implementation class UID; derived from a name, PS3.5 §B.2.</summary>
    private static readonly string ImplementationClass = DicomUid.FromName("FedSeg implementation class");

    /// <summary>The bytes of a whole file. SOPClassUID and SOPInstanceUID must be set.</summary>
    public static byte[] Encode(DataSetBuilder dataSet)
    {
        using var stream = new MemoryStream();
        Write(stream, dataSet, TransferSyntax.ExplicitLittleEndian);
        return stream.ToArray();
    }

    /// <summary>Writes a whole file, replacing one that is there.</summary>
    public static void Write(string path, DataSetBuilder dataSet)
    {
        using var stream = File.Create(path);
        Write(stream, dataSet, TransferSyntax.ExplicitLittleEndian);
    }

    /// <summary>
    /// Writes a whole file to a stream: an empty preamble, a meta group of FedSeg's own, the data set with its text in UTF-8.
    /// </summary>
    /// <param name="syntax">Explicit VR Little Endian, or the syntax of the compressed fragments that the data set holds.</param>
    internal static void Write(Stream stream, DataSetBuilder dataSet, TransferSyntax syntax)
    {
        var sopClass = dataSet.FirstText(Tags.SopClassUid)
            ?? throw new ArgumentException($"{Tags.SopClassUid} is not set.", nameof(dataSet));
        var instance = dataSet.FirstText(Tags.SopInstanceUid)
            ?? throw new ArgumentException($"{Tags.SopInstanceUid} is not set.", nameof(dataSet));
        dataSet.Text(Tags.SpecificCharacterSet, "ISO_IR 192");
        var meta = new DataSetBuilder()
            .Bytes(Tags.FileMetaInformationVersion, DicomVr.OB, [0, 1])
            .Text(Tags.MediaStorageSopClassUid, sopClass)
            .Text(Tags.MediaStorageSopInstanceUid, instance)
            .Text(Tags.TransferSyntaxUid, syntax.Uid)
            .Text(Tags.ImplementationClassUid, ImplementationClass)
            .Text(Tags.ImplementationVersionName, "FEDSEG")
            .Encode();
        stream.Write(new byte[128]);
        stream.Write("DICM"u8);
        new DataSetBuilder().Bytes(new DicomTag(2, 0), DicomVr.UL, BitConverter.GetBytes((uint)meta.Length)).Write(stream);
        stream.Write(meta);
        dataSet.Write(stream);
    }
}
