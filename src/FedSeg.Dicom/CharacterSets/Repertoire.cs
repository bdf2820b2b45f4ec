using System.Text;

namespace FedSeg.Dicom.CharacterSets;

/// <summary>A coded character set that can be designated as G0 or G1 of ISO 2022: one or two bytes a letter. Letters it lacks come out as U+FFFD.</summary>
internal sealed class Repertoire
{
    private const char Unknown = '\uFFFD';

    private readonly char[] _letters;

    private Repertoire(int bytesPerLetter)
    {
        BytesPerLetter = bytesPerLetter;
        _letters = new char[bytesPerLetter == 1 ? 128 : 94 * 94];
    }

    /// <summary>ISO-IR 6 and ISO-IR 14. The latter's yen sign and overline are kept as backslash and tilde: both are delimiters or letters by their code.</summary>
    public static Repertoire Ascii { get; } = OneByte(code => (char)code);

    public static Repertoire Latin1 { get; } = CodePage(28591);
    public static Repertoire Latin2 { get; } = CodePage(28592);
    public static Repertoire Latin3 { get; } = CodePage(28593);
    public static Repertoire Latin4 { get; } = CodePage(28594);
    public static Repertoire Latin5 { get; } = CodePage(28599);
    public static Repertoire Latin9 { get; } = CodePage(28605);
    public static Repertoire Cyrillic { get; } = CodePage(28595);
    public static Repertoire Arabic { get; } = CodePage(28596);
    public static Repertoire Greek { get; } = CodePage(28597);
    public static Repertoire Hebrew { get; } = CodePage(28598);
    public static Repertoire Thai { get; } = CodePage(874);

    /// <summary>JIS X 0201: half-width katakana stand in the order of their codes.</summary>
    public static Repertoire Katakana { get; } = OneByte(code => code is >= 0xA1 - 0x80 and <= 0xDF - 0x80 ? (char)('\uFF61' + code - 0x21) : Unknown);

    public static Repertoire Kanji { get; } = TwoBytes(20932, (row, cell) => [(byte)(row | 0x80), (byte)(cell | 0x80)]);

    /// <summary>JIS X 0212. Code page 20932 tells it from JIS X 0208 by a second byte without the high bit.</summary>
    public static Repertoire SupplementaryKanji { get; } = TwoBytes(20932, (row, cell) => [(byte)(row | 0x80), cell]);

    public static Repertoire Hangul { get; } = TwoBytes(51949, (row, cell) => [(byte)(row | 0x80), (byte)(cell | 0x80)]);

    public static Repertoire SimplifiedChinese { get; } = TwoBytes(936, (row, cell) => [(byte)(row | 0x80), (byte)(cell | 0x80)]);

    public int BytesPerLetter { get; }

    /// <summary>The letter of a code whose bytes are given without their high bits.</summary>
    public char Letter(int first, int second = 0) => BytesPerLetter == 1 ? _letters[first] : _letters[(first - 0x21) * 94 + second - 0x21];

    private static Repertoire OneByte(Func<int, char> letter)
    {
        var repertoire = new Repertoire(1);
        for (var code = 0; code < 128; code++)
        {
            repertoire._letters[code] = letter(code);
        }

        return repertoire;
    }

    private static Repertoire CodePage(int page)
    {
        var encoding = EncodingOf(page);
        return OneByte(code => encoding.GetString([(byte)(code | 0x80)])[0]);
    }

    private static Repertoire TwoBytes(int page, Func<byte, byte, byte[]> encode)
    {
        var encoding = EncodingOf(page);
        var repertoire = new Repertoire(2);
        for (var i = 0; i < repertoire._letters.Length; i++)
        {
            var text = encoding.GetString(encode((byte)(0x21 + i / 94), (byte)(0x21 + i % 94)));
            repertoire._letters[i] = text is [var letter] ? letter : Unknown;
        }

        return repertoire;
    }

    private static Encoding EncodingOf(int page) =>
        CodePagesEncodingProvider.Instance.GetEncoding(page, EncoderFallback.ReplacementFallback, new DecoderReplacementFallback(Unknown.ToString()))
        ?? Encoding.GetEncoding(page);
}
