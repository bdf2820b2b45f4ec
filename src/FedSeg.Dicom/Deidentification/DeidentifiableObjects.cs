using System.Collections.Frozen;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// Which objects are let through, by what the header says. SOP classes must be on a list; pixels that may show text are refused by the
/// rules that archives use (PS3.15 §E.3.1 leaves the finding of text to the user; the reasons are in <see cref="QuarantineReason"/>).
/// </summary>
internal static class DeidentifiableObjects
{
    private const string Storage = "1.2.840.10008.5.1.4.1.1.";
    private const string DirectoryStorage = "1.2.840.10008.1.3.10";

    private static readonly DicomTag ConversionType = new(0x0008, 0x0064);
    private static readonly DicomTag EncapsulatedDocument = new(0x0042, 0x0011);

    private static readonly FrozenDictionary<string, ObjectKind> Kinds = new (ObjectKind Kind, string[] SopClasses)[]
    {
        (ObjectKind.PlainImage, ["1", "2", "4", "20"]),
        (ObjectKind.Pet, ["128"]),
        (ObjectKind.EnhancedImage, ["2.1", "2.2", "4.1", "4.3", "4.4", "128.1", "130"]),
        (ObjectKind.Segmentation, ["30", "66.4", "66.7"]),
        (ObjectKind.StructureSet, ["481.3"]),
        // DX, mammography, intra-oral, tomosynthesis; registration, fiducials, surface segmentation, real world values; radiotherapy
        // image, dose, plan, records.
        (ObjectKind.Other,
            ["1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "13.1.3", "66.1", "66.2", "66.3", "66.5", "67",
            "481.1", "481.2", "481.4", "481.5", "481.6", "481.7", "481.8", "481.9"]),
    }.SelectMany(group => group.SopClasses.Select(sopClass => KeyValuePair.Create(Storage + sopClass, group.Kind))).ToFrozenDictionary();

    // Families that are refused with a reason of their own, by the beginning of what follows the storage root.
    private static readonly (string Family, QuarantineReason Reason)[] Refused =
    [
        ("7", QuarantineReason.SecondaryCapture),
        ("3", QuarantineReason.UltrasoundWithoutRules),
        ("6", QuarantineReason.UltrasoundWithoutRules),
        ("12", QuarantineReason.AngiographyWithoutRules),
        ("77", QuarantineReason.VisibleLight),
        ("104", QuarantineReason.EncapsulatedDocument),
        ("88", QuarantineReason.StructuredReport),
    ];

    public static ObjectKind KindOf(string sopClass) => Kinds.GetValueOrDefault(sopClass, ObjectKind.Other);

    /// <summary>The reason to hold the file back, or <see langword="null"/>.</summary>
    public static QuarantineReason? Refuse(DataSet meta, DataSet dataSet)
    {
        if (FirstUid(meta, Tags.MediaStorageSopClassUid) == DirectoryStorage)
        {
            return QuarantineReason.Directory;
        }

        return FirstUid(dataSet, Tags.SopClassUid) is not { } sopClass ? QuarantineReason.MissingUid
            : RefuseClass(sopClass) ?? RefusePicture(dataSet);
    }

    private static QuarantineReason? RefuseClass(string sopClass)
    {
        if (Kinds.ContainsKey(sopClass))
        {
            return null;
        }

        var family = sopClass.StartsWith(Storage, StringComparison.Ordinal) ? sopClass[Storage.Length..].Split('.')[0] : "";
        foreach (var (refused, reason) in Refused)
        {
            if (family == refused)
            {
                return reason;
            }
        }

        return QuarantineReason.SopClassNotListed;
    }

    private static QuarantineReason? RefusePicture(DataSet dataSet)
    {
        var burnedIn = dataSet.Text(Tags.BurnedInAnnotation);
        var imageType = dataSet.Texts(Tags.ImageType);
        return dataSet.Find(EncapsulatedDocument) is not null ? QuarantineReason.EncapsulatedDocument
            : string.Equals(burnedIn, "YES", StringComparison.OrdinalIgnoreCase) ? QuarantineReason.BurnedInAnnotation
            : dataSet.Text(ConversionType) is not null ? QuarantineReason.SecondaryCapture
            : imageType.Any(IsScreen) ? QuarantineReason.ScreenSave
            : imageType is [_, "SECONDARY", ..] && !string.Equals(burnedIn, "NO", StringComparison.OrdinalIgnoreCase)
                ? QuarantineReason.DerivedSecondary
            : HasEmbeddedOverlay(dataSet) ? QuarantineReason.OverlayInPixelData
            : null;
    }

    private static bool IsScreen(string imageTypeValue) =>
        imageTypeValue.Contains("SCREEN", StringComparison.OrdinalIgnoreCase)
            || imageTypeValue.Contains("REPORT", StringComparison.OrdinalIgnoreCase);

    /// <summary>An overlay without data of its own lies in unused bits of the pixel cells (retired, PS3.3 §C.9.2).</summary>
    private static bool HasEmbeddedOverlay(DataSet dataSet) => dataSet.Elements.Any(element =>
        RepeatingGroup.IsOverlay(element.Tag) && element.Tag.Element == 0x0010
            && dataSet.Find(new DicomTag(element.Tag.Group, 0x3000)) is null);

    private static string? FirstUid(DataSet dataSet, DicomTag tag) => dataSet.Find(tag) is { Vr: DicomVr.UI } ? dataSet.Text(tag) : null;
}
