using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Writing;

/// <summary>Writes Part 10 files (PS3.10 §7.1) in Explicit VR Little Endian.</summary>
public static class DicomWriter
{
    /// <summary>FedSeg's implementation class UID; derived from a name, PS3.5 §B.2.</summary>
    private static readonly string ImplementationClass = DicomUid.FromName("FedSeg implementation class");

    /// <summary>The bytes of a whole file. SOPClassUID and SOPInstanceUID must be set.</summary>
    public static byte[] Encode(DataSetBuilder dataSet)
    {
        var sopClass = dataSet.FirstText(Tags.SopClassUid) ?? throw new ArgumentException($"{Tags.SopClassUid} is not set.", nameof(dataSet));
        var instance = dataSet.FirstText(Tags.SopInstanceUid) ?? throw new ArgumentException($"{Tags.SopInstanceUid} is not set.", nameof(dataSet));
        dataSet.Text(Tags.SpecificCharacterSet, "ISO_IR 192");
        var meta = new DataSetBuilder()
            .Bytes(Tags.FileMetaInformationVersion, DicomVr.OB, [0, 1])
            .Text(Tags.MediaStorageSopClassUid, sopClass)
            .Text(Tags.MediaStorageSopInstanceUid, instance)
            .Text(Tags.TransferSyntaxUid, TransferSyntax.ExplicitLittleEndian.Uid)
            .Text(Tags.ImplementationClassUid, ImplementationClass)
            .Text(Tags.ImplementationVersionName, "FEDSEG")
            .Encode();
        var groupLength = new DataSetBuilder().Bytes(new DicomTag(2, 0), DicomVr.UL, BitConverter.GetBytes((uint)meta.Length)).Encode();
        return [.. new byte[128], .. "DICM"u8, .. groupLength, .. meta, .. dataSet.Encode()];
    }

    /// <summary>Writes a whole file, replacing one that is there.</summary>
    public static void Write(string path, DataSetBuilder dataSet) => File.WriteAllBytes(path, Encode(dataSet));
}
