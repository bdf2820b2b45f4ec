using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Deidentification;

/// <summary>Values that say nothing and that their representation allows (PS3.5 §6.2), for attributes that must not be empty.</summary>
internal static class DummyValues
{
    private const string Word = "REMOVED";

    /// <summary>A dummy of a text representation. A UID is not made up here: it is replaced.</summary>
    public static string Text(DicomVr vr) => vr switch
    {
        DicomVr.DA => "19000101",
        DicomVr.DT => "19000101000000",
        DicomVr.TM => "000000",
        DicomVr.AS => "000Y",
        DicomVr.DS or DicomVr.IS => "0",
        DicomVr.UR => "urn:removed",
        _ => Word,
    };

    /// <summary>
    /// Zeros: one value of a binary representation, or as many bytes as there were where <paramref name="length"/> says so.
    /// </summary>
    public static byte[] Zeros(DicomVr vr, int length = 0) => new byte[length > 0 ? length : vr switch
    {
        DicomVr.AT or DicomVr.FL or DicomVr.OF or DicomVr.OL or DicomVr.SL or DicomVr.UL => 4,
        DicomVr.FD or DicomVr.OD or DicomVr.OV or DicomVr.SV or DicomVr.UV => 8,
        _ => 2,
    }];
}
