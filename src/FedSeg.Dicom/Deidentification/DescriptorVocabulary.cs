using System.Collections.Frozen;
using System.Text.RegularExpressions;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// Clean Descriptors (PS3.15 §E.3.5) by a list of what may stay: words of anatomy, sequences, planes, contrast, and numbers of at most two
/// digits. A word that is not on the list goes, whatever it is, since no program knows all names.
/// </summary>
internal static partial class DescriptorVocabulary
{
    private static readonly Lazy<FrozenSet<string>> Words = new(() =>
        EmbeddedTable.Rows("descriptor-vocabulary.txt", columns: 1)
            .SelectMany(row => row[0].Split(' '))
            .ToFrozenSet(StringComparer.OrdinalIgnoreCase));

    /// <summary>The words that may stay, in order, one blank between them; empty when none may.</summary>
    public static string Clean(string text, IdentityEcho echo) =>
        string.Join(' ', Word().Matches(text)
            .Select(match => match.Value)
            .Where(word => (IsShortNumber(word) || Words.Value.Contains(word)) && !echo.IsIn(word)));

    private static bool IsShortNumber(string word) => word.Length <= 2 && word.All(char.IsAsciiDigit);

    [GeneratedRegex(@"[\p{L}\p{M}\p{N}]+\*?", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
