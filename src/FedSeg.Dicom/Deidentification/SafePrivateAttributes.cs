using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// Private attributes that are known to be safe, PS3.15 Table E.3.10-1, for the Retain Safe Private Option: those that change how diffusion
/// and PET images are read. All are numbers or coded words. The list is short on purpose; what is not on it goes.
/// </summary>
internal static class SafePrivateAttributes
{
    private const int BlockShift = 8;

    private static readonly HashSet<(string Creator, ushort Group, byte Element)> Known =
    [
        ("SIEMENS MR HEADER", 0x0019, 0x0C), // b-value
        ("SIEMENS MR HEADER", 0x0019, 0x0D), // diffusion directionality
        ("SIEMENS MR HEADER", 0x0019, 0x0E), // diffusion gradient direction
        ("SIEMENS MR HEADER", 0x0019, 0x27), // b-matrix
        ("GEMS_ACQU_01", 0x0019, 0xBB), // diffusion gradient direction x, y, z
        ("GEMS_ACQU_01", 0x0019, 0xBC),
        ("GEMS_ACQU_01", 0x0019, 0xBD),
        ("GEMS_PARM_01", 0x0043, 0x39), // b-value
        ("Philips Imaging DD 001", 0x2001, 0x03), // diffusion b-factor
        ("Philips Imaging DD 001", 0x2001, 0x04), // diffusion direction
        ("Philips MR Imaging DD 001", 0x2005, 0xB0), // diffusion direction RL, AP, FH
        ("Philips MR Imaging DD 001", 0x2005, 0xB1),
        ("Philips MR Imaging DD 001", 0x2005, 0xB2),
        ("Philips PET Private Group", 0x7053, 0x00), // SUV scale factor
        ("Philips PET Private Group", 0x7053, 0x09), // activity concentration scale factor
    ];

    /// <summary>Whether the element, or for a block's reservation (gggg,00bb) any element of the block, is on the list.</summary>
    public static bool Contains(DataSet dataSet, DicomElement element)
    {
        var (group, number) = (element.Tag.Group, element.Tag.Element);
        if (number is >= 0x10 and <= 0xFF)
        {
            return dataSet.Elements.Any(other =>
                other.Tag.Group == group && other.Tag.Element >> BlockShift == number && Contains(dataSet, other));
        }

        return element.Items is null
            && number > 0xFF
            && CreatorOf(dataSet, group, (ushort)(number >> BlockShift)) is { } creator
            && Known.Contains((creator, group, (byte)number));
    }

    private static string? CreatorOf(DataSet dataSet, ushort group, ushort block) =>
        dataSet.Find(new DicomTag(group, block)) is { Items: null } element && element.Vr.IsText() ? dataSet.Text(element.Tag) : null;
}
