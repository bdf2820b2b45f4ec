using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Deidentification;

namespace FedSeg.Dicom.Tests.Deidentification;

public sealed class ConfidentialityTableTests
{
    private static readonly ConfidentialityTable Table = ConfidentialityTable.Instance;

    // Added to the table after edition 2024b.
    private static readonly DicomTag[] AddedSince = [new(0x0010, 0x2161), new(0x300A, 0x0054)];

    /// <summary>The counts of edition 2024b that shared/reference/dicom.md §3.5 gives.</summary>
    [Theory]
    [InlineData("X", 383)]
    [InlineData("D", 92)]
    [InlineData("U", 54)]
    [InlineData("Z", 42)]
    [InlineData("X/D", 22)]
    [InlineData("X/Z", 11)]
    [InlineData("X/Z/D", 8)]
    [InlineData("Z/D", 6)]
    [InlineData("X/Z/U", 2)]
    public void Rows_OfEdition2024b_HaveTheStandardsActions(string action, int count)
    {
        var actions = Table.Rows.Where(row => !AddedSince.Contains(row.Key)).Select(row => row.Value).Concat(Table.RepeatingGroups)
            .Select(row => string.Join('/', row.Basic.Select(Code)));

        Assert.Equal(count, actions.Count(code => code == action));
    }

    [Fact]
    public void Rows_AllOfThem_Are620AndTheTwoAddedSince()
    {
        Assert.Equal(622, Table.Rows.Count + Table.RepeatingGroups.Count);
        Assert.All(AddedSince, tag => Assert.NotNull(Table.Find(tag)));
    }

    [Fact]
    public void Rows_OneByOne_AreKnownToTheDictionaryUnderTheirKeyword() =>
        Assert.All(
            Table.Rows.Where(row => row.Key.Group >= 0x0008 && row.Key.Group < 0xFFF0),
            row => Assert.Equal(row.Value.Attribute, StandardDictionary.Find(row.Key)?.Keyword));

    [Theory]
    [InlineData(0x0010, 0x1010, ProfileOption.RetainPatientCharacteristics, "K")]
    [InlineData(0x0008, 0x0080, ProfileOption.RetainInstitutionIdentity, "K")]
    [InlineData(0x0018, 0x1000, ProfileOption.RetainDeviceIdentity, "K")]
    [InlineData(0x0008, 0x0018, ProfileOption.RetainUids, "K")]
    [InlineData(0x0008, 0x0020, ProfileOption.RetainFullDates, "K")]
    [InlineData(0x0008, 0x0020, ProfileOption.RetainModifiedDates, "C")]
    [InlineData(0x0008, 0x103E, ProfileOption.CleanDescriptors, "C")]
    [InlineData(0x0040, 0xA730, ProfileOption.CleanStructuredContent, "C")]
    [InlineData(0x0070, 0x0001, ProfileOption.CleanGraphics, "C")]
    public void Rows_UnderAnOption_HaveItsAction(int group, int element, ProfileOption option, string action) =>
        Assert.Equal(action, Code(Table.Find(new DicomTag((ushort)group, (ushort)element))!.Options[option]));

    /// <summary>X/Z/D is not X: what type 1 needs gets a dummy, what type 2 needs stays empty, only type 3 goes.</summary>
    [Theory]
    [InlineData(0x0018, 0x1000, nameof(ObjectKind.PlainImage), "X")]
    [InlineData(0x0018, 0x1000, nameof(ObjectKind.EnhancedImage), "D")]
    [InlineData(0x0008, 0x0022, nameof(ObjectKind.PlainImage), "X")]
    [InlineData(0x0008, 0x0022, nameof(ObjectKind.Pet), "Z")]
    [InlineData(0x0008, 0x0023, nameof(ObjectKind.PlainImage), "Z")]
    [InlineData(0x0008, 0x0023, nameof(ObjectKind.Segmentation), "D")]
    [InlineData(0x0008, 0x1070, nameof(ObjectKind.StructureSet), "Z")]
    [InlineData(0x0008, 0x1070, nameof(ObjectKind.Other), "D")]
    [InlineData(0x0008, 0x1140, nameof(ObjectKind.PlainImage), "U")]
    public void BasicFor_ConditionalAction_FollowsTheTypeInTheObject(int group, int element, string kind, string action)
    {
        var tag = new DicomTag((ushort)group, (ushort)element);

        Assert.Equal(action, Code(Table.Find(tag)!.BasicFor(Table.TypeOf(tag, Enum.Parse<ObjectKind>(kind)))));
    }

    private static string Code(ProfileAction action) => action switch
    {
        ProfileAction.Remove => "X",
        ProfileAction.Empty => "Z",
        ProfileAction.Dummy => "D",
        ProfileAction.ReplaceUid => "U",
        ProfileAction.Keep => "K",
        _ => "C",
    };
}
