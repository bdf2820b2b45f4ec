using System.Collections.Frozen;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// PS3.15 Table E.1-1, edition 2024b, as the assembly carries it, and the types that decide its conditional actions. The table is read
/// once; a row that does not parse is a fault of the build, not of a file.
/// </summary>
internal sealed class ConfidentialityTable
{
    private const int FirstOptionColumn = 3;

    private static readonly ProfileOption[] OptionColumns =
    [
        ProfileOption.RetainUids, ProfileOption.RetainDeviceIdentity, ProfileOption.RetainInstitutionIdentity,
        ProfileOption.RetainPatientCharacteristics, ProfileOption.RetainFullDates, ProfileOption.RetainModifiedDates,
        ProfileOption.CleanDescriptors, ProfileOption.CleanStructuredContent, ProfileOption.CleanGraphics,
    ];

    private static readonly ObjectKind[] TypeColumns =
        [ObjectKind.PlainImage, ObjectKind.Pet, ObjectKind.EnhancedImage, ObjectKind.Segmentation, ObjectKind.StructureSet,
            ObjectKind.Other];

    private static readonly Lazy<ConfidentialityTable> Read = new(() => new ConfidentialityTable());

    private readonly FrozenDictionary<DicomTag, ConfidentialityRow> _rows;
    private readonly FrozenDictionary<(DicomTag Tag, ObjectKind Kind), AttributeType> _types;

    private ConfidentialityTable()
    {
        var rows = EmbeddedTable.Rows("confidentiality-profile.csv", FirstOptionColumn + OptionColumns.Length).Skip(1).ToList();
        // The three rows of repeating groups (curves 50xx, overlays 60xx) have no tag of their own; those groups are removed whole.
        _rows = rows.Where(row => !row[0].Contains('X')).ToFrozenDictionary(row => EmbeddedTable.Tag(row[0]), Row);
        RepeatingGroups = [.. rows.Where(row => row[0].Contains('X')).Select(Row)];
        _types = EmbeddedTable.Rows("conditional-types.csv", 2 + TypeColumns.Length)
            .Skip(1)
            .SelectMany(row => TypeColumns.Select((kind, column) =>
                KeyValuePair.Create((EmbeddedTable.Tag(row[0]), kind), Type(row[2 + column]))))
            .ToFrozenDictionary();
        foreach (var (tag, row) in _rows)
        {
            if (row.Basic.Count > 1 && !row.Basic.Contains(ProfileAction.ReplaceUid) && !_types.ContainsKey((tag, ObjectKind.Other)))
            {
                throw new InvalidDataException($"conditional-types.csv has no row for {row.Attribute}, whose action depends on its type.");
            }
        }
    }

    public static ConfidentialityTable Instance => Read.Value;

    /// <summary>The rows of single attributes.</summary>
    public IReadOnlyDictionary<DicomTag, ConfidentialityRow> Rows => _rows;

    /// <summary>The rows of curves and overlays.</summary>
    public IReadOnlyList<ConfidentialityRow> RepeatingGroups { get; }

    public ConfidentialityRow? Find(DicomTag tag) => _rows.GetValueOrDefault(tag);

    /// <summary>The attribute's type in objects of a kind; of no meaning for attributes with one action only.</summary>
    public AttributeType TypeOf(DicomTag tag, ObjectKind kind) => _types.GetValueOrDefault((tag, kind), AttributeType.Required);

    private static ConfidentialityRow Row(string[] fields)
    {
        var options = new Dictionary<ProfileOption, ProfileAction>();
        for (var column = 0; column < OptionColumns.Length; column++)
        {
            if (fields[FirstOptionColumn + column] is { Length: > 0 } code)
            {
                options.Add(OptionColumns[column], Action(code));
            }
        }

        return new ConfidentialityRow(fields[1], [.. fields[2].Split('/').Select(Action)], options);
    }

    private static ProfileAction Action(string code) => code switch
    {
        "X" => ProfileAction.Remove,
        "Z" => ProfileAction.Empty,
        "D" => ProfileAction.Dummy,
        "U" or "U*" => ProfileAction.ReplaceUid,
        "K" => ProfileAction.Keep,
        "C" => ProfileAction.Clean,
        _ => throw new InvalidDataException($"confidentiality-profile.csv: '{code}' is no action of PS3.15 Table E.1-1a."),
    };

    private static AttributeType Type(string type) => type switch
    {
        "1" or "1C" => AttributeType.Required,
        "2" or "2C" => AttributeType.MayBeEmpty,
        "3" or "-" => AttributeType.Optional,
        _ => throw new InvalidDataException($"conditional-types.csv: '{type}' is no attribute type of PS3.5 §7.4."),
    };
}
