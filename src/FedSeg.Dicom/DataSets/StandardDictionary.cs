using System.Collections.Frozen;

namespace FedSeg.Dicom.DataSets;

/// <summary>
/// The data elements of PS3.6 with their representation and keyword. Implicit VR needs it to see a sequence as a sequence: what hides in an
/// unrecognised one can't be cleaned. Repeating groups (50xx, 60xx) are not in it.
/// </summary>
internal static class StandardDictionary
{
    private static readonly Lazy<FrozenDictionary<DicomTag, StandardAttribute>> Attributes = new(() =>
        EmbeddedTable.Rows("dictionary.csv", columns: 3).ToFrozenDictionary(row => EmbeddedTable.Tag(row[0]), row =>
            Parse(row[1], row[2])));

    public static StandardAttribute? Find(DicomTag tag) => Attributes.Value.GetValueOrDefault(tag);

    private static StandardAttribute Parse(string vr, string keyword) =>
        vr == "XS" ? new StandardAttribute(DicomVr.US, keyword, SignFollowsPixels: true)
        : Enum.TryParse<DicomVr>(vr, out var known) ? new StandardAttribute(known, keyword, SignFollowsPixels: false)
        : throw new InvalidDataException($"dictionary.csv: '{vr}' of {keyword} is no value representation.");
}

/// <summary>An attribute of PS3.6.</summary>
/// <param name="SignFollowsPixels">It is US for unsigned pixels and SS for signed ones; <paramref name="Vr"/> says US.</param>
internal sealed record StandardAttribute(DicomVr Vr, string Keyword, bool SignFollowsPixels);
