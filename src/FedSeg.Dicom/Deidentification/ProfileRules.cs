using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// What to do with each attribute of a file: Table E.1-1 under the chosen options, and rules for what the table does not list.
/// </summary>
internal sealed class ProfileRules(DeidentificationProfile profile)
{
    private static readonly DicomTag LengthToEnd = new(0x0008, 0x0001);
    private static readonly DicomTag PrivateDataElementCharacteristics = new(0x0008, 0x0300);

    // Codes that are too long for CodeValue; the rest of a coded entry stays as well.
    private static readonly HashSet<DicomTag> LongCodes = [new(0x0008, 0x0119), new(0x0008, 0x0120)];

    // Free text that its item needs: TextValue, TrackingID, UnformattedTextValue, SelectorUCValue.
    private static readonly HashSet<DicomTag> RequiredFreeText =
        [new(0x0040, 0xA160), new(0x0062, 0x0020), new(0x0070, 0x0006), new(0x0072, 0x006F)];

    // UIDs that name a kind of thing, not a thing: SOP classes, coding schemes, context groups, transfer syntaxes.
    private static readonly HashSet<DicomTag> ClassUids =
    [
        Tags.SopClassUid, Tags.ReferencedSopClassUid, new(0x0008, 0x001A), new(0x0008, 0x001B), new(0x0008, 0x010C), new(0x0008, 0x010D),
            new(0x0008, 0x0117),
        new(0x0008, 0x0118), new(0x0008, 0x0062), new(0x0004, 0x1510), new(0x0004, 0x1512), new(0x0400, 0x0010), new(0x0008, 0x115A),
    ];

    private readonly ConfidentialityTable _table = ConfidentialityTable.Instance;

    /// <summary>The rule for an element that stands in an object, or in an item of one, of this kind.</summary>
    public ElementRule For(DataSet dataSet, DicomElement element, ObjectKind kind)
    {
        var tag = element.Tag;
        return tag.IsPrivate ? new ElementRule(ForPrivate(dataSet, element))
            : RepeatingGroup.IsCurve(tag) || RepeatingGroup.IsOverlay(tag) || tag.Group < 0x0008 || tag == LengthToEnd
                || tag == PrivateDataElementCharacteristics
                ? new ElementRule(ProfileAction.Remove)
            : _table.Find(tag) is { } row ? Listed(row, _table.TypeOf(tag, kind))
            : new ElementRule(Unlisted(element));
    }

    /// <summary>An option that keeps outweighs one that cleans; without either the basic profile rules.</summary>
    private ElementRule Listed(ConfidentialityRow row, AttributeType type)
    {
        var basic = row.BasicFor(type);
        ElementRule? clean = null;
        foreach (var option in profile.Options)
        {
            if (row.Options.TryGetValue(option, out var action))
            {
                if (action == ProfileAction.Keep)
                {
                    return new ElementRule(ProfileAction.Keep) { ByOption = true };
                }

                clean = new ElementRule(action) { ByOption = true, Otherwise = basic };
            }
        }

        return clean ?? new ElementRule(basic);
    }

    private ProfileAction ForPrivate(DataSet dataSet, DicomElement element) =>
        profile.Has(ProfileOption.RetainSafePrivate) && SafePrivateAttributes.Contains(dataSet, element) ? ProfileAction.Keep
            : ProfileAction.Remove;

    /// <summary>
    /// The table names every attribute of its edition that is known to identify. For what it does not name: attributes unknown to the
    /// dictionary go, and of the others names, dates, titles and free text; coded words, short labels of machines and numbers stay.
    /// </summary>
    private ProfileAction Unlisted(DicomElement element) => element.Vr switch
    {
        DicomVr.UN => ProfileAction.Remove,
        _ when StandardDictionary.Find(element.Tag) is null => ProfileAction.Remove,
        DicomVr.UI => ClassUids.Contains(element.Tag) || profile.Has(ProfileOption.RetainUids) ? ProfileAction.Keep
            : ProfileAction.ReplaceUid,
        DicomVr.PN or DicomVr.DA or DicomVr.DT or DicomVr.TM or DicomVr.AS or DicomVr.AE
            or DicomVr.LT or DicomVr.ST or DicomVr.UT or DicomVr.UC or DicomVr.UR =>
            LongCodes.Contains(element.Tag) ? ProfileAction.Keep
            : RequiredFreeText.Contains(element.Tag) ? ProfileAction.Dummy
            : ProfileAction.Remove,
        _ => ProfileAction.Keep,
    };
}

/// <summary>What to do with one element.</summary>
internal readonly record struct ElementRule(ProfileAction Action)
{
    /// <summary>An option asked for it, so the report tells of it even where the element stays as it is.</summary>
    public bool ByOption { get; init; }

    /// <summary>What to do where <see cref="ProfileAction.Clean"/> leaves nothing or can't be done: the basic profile.</summary>
    public ProfileAction Otherwise { get; init; }
}
