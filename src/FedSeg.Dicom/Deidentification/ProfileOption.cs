namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// The options of the Basic Application Level Confidentiality Profile, PS3.15 §E.3. The number is the code value in DCM (PS3.16 CID
/// 7050).
/// </summary>
public enum ProfileOption
{
    CleanPixelData = 113101,
    CleanRecognizableVisualFeatures = 113102,
    CleanGraphics = 113103,
    CleanStructuredContent = 113104,
    CleanDescriptors = 113105,
    RetainFullDates = 113106,
    RetainModifiedDates = 113107,
    RetainPatientCharacteristics = 113108,
    RetainDeviceIdentity = 113109,
    RetainUids = 113110,
    RetainSafePrivate = 113111,
    RetainInstitutionIdentity = 113112,
}
