namespace FedSeg.Dicom.Deidentification;

/// <summary>How an option is called: by people on a command line, and by the standard in a de-identified file.</summary>
/// <param name="Name">The name on the command line.</param>
/// <param name="Meaning">The code meaning of PS3.16 CID 7050.</param>
/// <param name="Refusal">Why this program can't honour the option; <see langword="null"/> for those it does.</param>
internal sealed record ProfileOptionTerm(ProfileOption Option, string Name, string Meaning, string? Refusal = null)
{
    private const string NeedsEyes =
        "can't be honoured by this program: to find what identifies a person in pixels takes a validated detector and eyes on every image";

    /// <summary>All twelve, by code.</summary>
    public static IReadOnlyList<ProfileOptionTerm> All { get; } =
    [
        new(ProfileOption.CleanPixelData, "clean-pixel-data", "Clean Pixel Data Option", NeedsEyes),
        new(ProfileOption.CleanRecognizableVisualFeatures, "clean-visual-features", "Clean Recognizable Visual Features Option", NeedsEyes),
        new(ProfileOption.CleanGraphics, "clean-graphics", "Clean Graphics Option"),
        new(ProfileOption.CleanStructuredContent, "clean-structured-content", "Clean Structured Content Option"),
        new(ProfileOption.CleanDescriptors, "clean-descriptors", "Clean Descriptors Option"),
        new(ProfileOption.RetainFullDates, "full-dates", "Retain Longitudinal Temporal Information Full Dates Option"),
        new(ProfileOption.RetainModifiedDates, "modified-dates", "Retain Longitudinal Temporal Information Modified Dates Option"),
        new(ProfileOption.RetainPatientCharacteristics, "patient-characteristics", "Retain Patient Characteristics Option"),
        new(ProfileOption.RetainDeviceIdentity, "device-identity", "Retain Device Identity Option"),
        new(ProfileOption.RetainUids, "uids", "Retain UIDs Option"),
        new(ProfileOption.RetainSafePrivate, "safe-private", "Retain Safe Private Option"),
        new(ProfileOption.RetainInstitutionIdentity, "institution-identity", "Retain Institution Identity Option"),
    ];

    public static ProfileOptionTerm Of(ProfileOption option) => All.Single(term => term.Option == option);
}
