using System.Globalization;
using System.Text.Json;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Importer.Pacs;

/// <summary>One data set of the DICOM JSON model, PS3.18 Annex F. What is absent or of another kind is empty.</summary>
internal readonly struct DicomJson(JsonElement dataSet)
{
    public static readonly DicomTag ModalitiesInStudy = new(0x0008, 0x0061);
    public static readonly DicomTag WarningReason = new(0x0008, 0x1196);
    public static readonly DicomTag FailureReason = new(0x0008, 0x1197);
    public static readonly DicomTag FailedSopSequence = new(0x0008, 0x1198);
    public static readonly DicomTag ReferencedSopSequence = new(0x0008, 0x1199);

    /// <summary>The first value as text, or empty.</summary>
    public string Text(DicomTag tag) => Texts(tag).FirstOrDefault() ?? "";

    /// <summary>All values that are texts or numbers.</summary>
    public IEnumerable<string> Texts(DicomTag tag) => Values(tag)
        .Where(value => value.ValueKind is JsonValueKind.String or JsonValueKind.Number)
        .Select(value => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText());

    /// <summary>The first value as a whole number; archives write it as number or as text.</summary>
    public int? WholeNumber(DicomTag tag) =>
        int.TryParse(Text(tag), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The items of a sequence.</summary>
    public IEnumerable<DicomJson> Items(DicomTag tag) =>
        Values(tag).Where(value => value.ValueKind == JsonValueKind.Object).Select(value => new DicomJson(value));

    /// <exception cref="PacsException">The answer lacks the identifier that every match must have, or it is none.</exception>
    public Uid RequiredUid(DicomTag tag) => Uid.TryParse(Text(tag), out var uid)
        ? uid
        : throw new PacsException(
            PacsFault.UnexpectedAnswer, $"An answer of the PACS has no valid {tag}. It does not follow PS3.18; ask its vendor.");

    private JsonElement[] Values(DicomTag tag) =>
        dataSet.ValueKind == JsonValueKind.Object
        && dataSet.TryGetProperty($"{tag.Group:X4}{tag.Element:X4}", out var element) && element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty("Value", out var values) && values.ValueKind == JsonValueKind.Array
            ? [.. values.EnumerateArray()]
            : [];
}
