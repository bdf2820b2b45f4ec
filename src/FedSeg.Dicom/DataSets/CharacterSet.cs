using System.Text;

namespace FedSeg.Dicom.DataSets;

/// <summary>
/// Decodes text by SpecificCharacterSet, PS3.3 §C.12.1.1.2. ASCII, Latin-1 (ISO_IR 100) and UTF-8 (ISO_IR 192) are exact; in every other set the
/// ASCII letters are right and each other byte comes out as U+FFFD: nothing that the reader decides on depends on such letters.
/// The other repertoires and ISO 2022 escapes belong here.
/// </summary>
internal sealed class CharacterSet
{
    private static readonly Encoding AsciiOnly = Encoding.GetEncoding("us-ascii", EncoderFallback.ReplacementFallback, new DecoderReplacementFallback("\uFFFD"));

    private readonly Encoding _encoding;

    private CharacterSet(Encoding encoding) => _encoding = encoding;

    public static CharacterSet Default { get; } = new(AsciiOnly);

    /// <summary>The set for the values of SpecificCharacterSet; the first value counts.</summary>
    public static CharacterSet Of(string definedTerms) => definedTerms.Split('\\')[0].Trim() switch
    {
        "ISO_IR 192" => new(Encoding.UTF8),
        "ISO_IR 100" or "ISO 2022 IR 100" => new(Encoding.Latin1),
        _ => Default,
    };

    public string Decode(ReadOnlySpan<byte> bytes) => _encoding.GetString(bytes);
}
