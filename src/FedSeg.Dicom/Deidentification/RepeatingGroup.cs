using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Deidentification;

/// <summary>Groups that stand once for each curve (50xx, retired) or overlay (60xx), PS3.5 §7.6.</summary>
internal static class RepeatingGroup
{
    public static bool IsCurve(DicomTag tag) => tag.Group >> 8 == 0x50 && !tag.IsPrivate;

    public static bool IsOverlay(DicomTag tag) => tag.Group >> 8 == 0x60 && !tag.IsPrivate;
}
