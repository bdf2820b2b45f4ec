using System.Globalization;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;

namespace FedSeg.Importer.Tests;

/// <summary>A small DICOM file that a fake archive holds.</summary>
internal sealed record FakeInstance(string Study, string Series, string Instance, string Modality, byte[] Bytes)
{
    public static FakeInstance Create(int study, int series, int number, string modality = "MR", int paddingBytes = 0)
    {
        string Uid(params int[] parts) =>
            "1.2.826.0.1." + string.Join('.', parts.Select(part => part.ToString(CultureInfo.InvariantCulture)));
        var (studyUid, seriesUid, instanceUid) = (Uid(study), Uid(study, series), Uid(study, series, number));
        return new FakeInstance(
            studyUid, seriesUid, instanceUid, modality, Encode(studyUid, seriesUid, instanceUid, modality, paddingBytes));
    }

    public static byte[] Encode(string study, string series, string instance, string modality, int paddingBytes = 0) =>
        DicomWriter.Encode(new DataSetBuilder()
        .Text(Tags.SopClassUid, modality == "SEG" ? "1.2.840.10008.5.1.4.1.1.66.4" : "1.2.840.10008.5.1.4.1.1.4")
        .Text(Tags.SopInstanceUid, instance)
        .Text(Tags.StudyInstanceUid, study)
        .Text(Tags.SeriesInstanceUid, series)
        .Text(Tags.Modality, modality)
        .Text(Tags.PatientName, "Canary^QZJX")
        .Bytes(Tags.PixelData, DicomVr.OW, new byte[paddingBytes]));
}
