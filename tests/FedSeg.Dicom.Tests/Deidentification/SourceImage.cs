using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;

namespace FedSeg.Dicom.Tests.Deidentification;

/// <summary>A valid MR image of an invented patient, to be spoilt by each test as it likes.</summary>
internal static class SourceImage
{
    public const string Study = "1.2.826.0.1.3680043.8.498.1";
    public const string Series = "1.2.826.0.1.3680043.8.498.2";
    public const string Instance = "1.2.826.0.1.3680043.8.498.3";
    public const string FrameOfReference = "1.2.826.0.1.3680043.8.498.4";
    public const string MrImage = "1.2.840.10008.5.1.4.1.1.4";

    public static readonly byte[] Pixels = [1, 2, 3, 4, 5, 6, 7, 8];

    public static DataSetBuilder Create(string instance = Instance) => new DataSetBuilder()
        .Text(Tags.ImageType, "ORIGINAL", "PRIMARY", "OTHER")
        .Text(Tags.SopClassUid, MrImage)
        .Text(Tags.SopInstanceUid, instance)
        .Text(Tags.StudyDate, "20210301")
        .Text(Tags.SeriesDate, "20210302")
        .Text(Tags.StudyTime, "093000")
        .Text(Tags.AccessionNumber, "ACC-7781")
        .Text(Tags.Modality, "MR")
        .Text(Tags.Manufacturer, "Scanners Inc")
        .Text(Tags.ReferringPhysicianName, "Refer^Rosa")
        .Text(Tags.PatientName, "Kanari^Knut")
        .Text(Tags.PatientId, "MRN-4711")
        .Text(Tags.PatientBirthDate, "19310405")
        .Text(Tags.PatientSex, "M")
        .Text(new DicomTag(0x0010, 0x1010), DicomVr.AS, "066Y")
        .Text(new DicomTag(0x0010, 0x1030), DicomVr.DS, "81.5")
        .Text(new DicomTag(0x0018, 0x0015), DicomVr.CS, "ABDOMEN")
        .Text(new DicomTag(0x0018, 0x0020), DicomVr.CS, "GR")
        .Text(new DicomTag(0x0018, 0x0021), DicomVr.CS, "SP")
        .Text(new DicomTag(0x0018, 0x0022), DicomVr.CS)
        .Text(new DicomTag(0x0018, 0x0023), DicomVr.CS, "3D")
        .Text(new DicomTag(0x0018, 0x0050), DicomVr.DS, "1")
        .Text(new DicomTag(0x0018, 0x0080), DicomVr.DS, "8")
        .Text(new DicomTag(0x0018, 0x0081), DicomVr.DS, "4.6")
        .Text(new DicomTag(0x0018, 0x0091), DicomVr.IS, "1")
        .Text(new DicomTag(0x0018, 0x5100), DicomVr.CS, "HFS")
        .Text(Tags.StudyInstanceUid, Study)
        .Text(Tags.SeriesInstanceUid, Series)
        .Text(new DicomTag(0x0020, 0x0010), DicomVr.SH, "S-9912")
        .Text(new DicomTag(0x0020, 0x0011), DicomVr.IS, "2")
        .Text(new DicomTag(0x0020, 0x0013), DicomVr.IS, "7")
        .Text(new DicomTag(0x0020, 0x0032), DicomVr.DS, "-23.5", "-19.5", "10.5")
        .Text(new DicomTag(0x0020, 0x0037), DicomVr.DS, "1", "0", "0", "0", "1", "0")
        .Text(new DicomTag(0x0020, 0x0052), DicomVr.UI, FrameOfReference)
        .Text(new DicomTag(0x0020, 0x1040), DicomVr.LO)
        .Numbers(Tags.SamplesPerPixel, 1)
        .Text(new DicomTag(0x0028, 0x0004), DicomVr.CS, "MONOCHROME2")
        .Numbers(Tags.Rows, 2)
        .Numbers(Tags.Columns, 2)
        .Text(new DicomTag(0x0028, 0x0030), DicomVr.DS, "1", "1")
        .Numbers(Tags.BitsAllocated, 16)
        .Numbers(Tags.BitsStored, 16)
        .Numbers(Tags.HighBit, 15)
        .Numbers(Tags.PixelRepresentation, 0)
        .Bytes(Tags.PixelData, DicomVr.OW, Pixels);
}
