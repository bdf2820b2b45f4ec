using System.Text;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.CharacterSets;

/// <summary>
/// Decodes text by SpecificCharacterSet, PS3.3 §C.12.1.1.2: every defined term there, with and without code extensions. A term or a byte that is not known
/// does not stop anything: ASCII letters stay right, each other byte comes out as U+FFFD.
/// </summary>
internal abstract class CharacterSet
{
    private const int LongestTerms = 1024;

    public static CharacterSet Default { get; } = new ExtensibleSet(null, isExtended: false);

    private static CharacterSet Utf8 { get; } = new WholeSet(Encoding.UTF8);

    /// <summary>The set that the raw value of SpecificCharacterSet asks for.</summary>
    public static CharacterSet Of(ReadOnlySpan<byte> definedTerms)
    {
        var terms = Encoding.Latin1.GetString(definedTerms[..Math.Min(definedTerms.Length, LongestTerms)]).Split('\\').Select(Normalised).ToList();
        return terms[0] switch
        {
            "ISOIR192" => Utf8,
            "GB18030" => WholeSet.Gb18030,
            "GBK" => WholeSet.Gbk,
            var first => new ExtensibleSet(InitialG1(first), terms.Count > 1 || first.StartsWith("ISO2022", StringComparison.Ordinal)),
        };
    }

    /// <summary>The text of a whole value, all its delimited parts included; whoever splits it does so afterwards, since a second byte may look like a delimiter.</summary>
    public abstract string Decode(ReadOnlySpan<byte> bytes, DicomVr vr);

    /// <summary>Archives write ISO_IR 100, ISO-IR 100 and ISO_IR_100 for the same term.</summary>
    private static string Normalised(string term) => string.Concat(term.Where(char.IsAsciiLetterOrDigit));

    private static Repertoire? InitialG1(string term) => term[(term.LastIndexOf("IR", StringComparison.Ordinal) is var at and >= 0 ? at : term.Length)..] switch
    {
        "IR100" => Repertoire.Latin1,
        "IR101" => Repertoire.Latin2,
        "IR109" => Repertoire.Latin3,
        "IR110" => Repertoire.Latin4,
        "IR148" => Repertoire.Latin5,
        "IR203" => Repertoire.Latin9,
        "IR144" => Repertoire.Cyrillic,
        "IR127" => Repertoire.Arabic,
        "IR126" => Repertoire.Greek,
        "IR138" => Repertoire.Hebrew,
        "IR166" => Repertoire.Thai,
        "IR13" => Repertoire.Katakana,
        "IR149" => Repertoire.Hangul,
        "IR58" => Repertoire.SimplifiedChinese,
        _ => null,
    };

    /// <summary>One encoding for the whole value, which allows no code extensions: UTF-8, GB18030, GBK.</summary>
    private sealed class WholeSet(Encoding encoding) : CharacterSet
    {
        public static CharacterSet Gb18030 { get; } = new WholeSet(CodePagesEncodingProvider.Instance.GetEncoding(54936)!);

        public static CharacterSet Gbk { get; } = new WholeSet(CodePagesEncodingProvider.Instance.GetEncoding(936)!);

        public override string Decode(ReadOnlySpan<byte> bytes, DicomVr vr) => encoding.GetString(bytes);
    }
}
