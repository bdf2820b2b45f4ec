using System.Text.RegularExpressions;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// The names and numbers by which a data set identifies people, to find them again in text that the profile lets stay: a technician may
/// have typed the patient's name into the protocol, the coil name or a code meaning. A second net, not the first one.
/// </summary>
internal sealed partial class IdentityEcho
{
    private const int ShortestName = 3;
    private const int ShortestNumber = 4;

    private static readonly DicomTag[] Names =
    [
        Tags.PatientName, new(0x0010, 0x1001), new(0x0010, 0x1005), new(0x0010, 0x1060), Tags.ReferringPhysicianName, new(0x0008, 0x009C),
            new(0x0008, 0x1048),
        new(0x0008, 0x1050), new(0x0008, 0x1060), Tags.OperatorsName, new(0x0032, 0x1032),
    ];

    private static readonly DicomTag[] Numbers =
        [Tags.PatientId, new(0x0010, 0x1000), Tags.AccessionNumber, Tags.PatientBirthDate, new(0x0020, 0x0010), new(0x0010, 0x2154)];

    private readonly HashSet<string> _words = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _numbers = new(StringComparer.OrdinalIgnoreCase);

    public IdentityEcho(DataSet dataSet)
    {
        foreach (var tag in Names.Where(tag => dataSet.Find(tag) is { Vr: DicomVr.PN }))
        {
            _words.UnionWith(dataSet.Texts(tag).SelectMany(Words).Where(word => word.Length >= ShortestName));
        }

        foreach (var tag in Numbers.Where(tag => dataSet.Find(tag) is { Items: null } element && element.Vr.IsText()))
        {
            _numbers.UnionWith(dataSet.Texts(tag).Select(number => number.Trim()).Where(number => number.Length >= ShortestNumber));
        }
    }

    /// <summary>The text has a word of a person's name, or contains a number of the patient.</summary>
    public bool IsIn(string text) =>
        Words(text).Any(_words.Contains) || _numbers.Any(number => text.Contains(number, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<string> Words(string text) => Word().Matches(text).Select(match => match.Value);

    [GeneratedRegex(@"[\p{L}\p{M}\p{N}]+", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
