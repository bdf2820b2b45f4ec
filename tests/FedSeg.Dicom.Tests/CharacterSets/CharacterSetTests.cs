using System.Text;
using FedSeg.Dicom.CharacterSets;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Testing;

namespace FedSeg.Dicom.Tests.CharacterSets;

public sealed class CharacterSetTests
{
    [Theory]
    [InlineData("ISO_IR 100", "4A E9 72 F4 6D 65", "Jérôme")]
    [InlineData("ISO_IR 101", "A3 F3 64 BC", "Łódź")]
    [InlineData("ISO_IR 109", "E6 F8", "ĉĝ")]
    [InlineData("ISO_IR 110", "BA B6", "ēļ")]
    [InlineData("ISO_IR 148", "FE F0 FD", "şğı")]
    [InlineData("ISO_IR 203", "A4 BD", "€œ")]
    [InlineData("ISO_IR 144", "BB EE DA 63 65 DC D1 79 70 D3", "Люкceмбypг")]
    [InlineData("ISO_IR 127", "E2 C8 C7 E6 EA 5E E4 E6 D2 C7 D1", "قباني^لنزار")]
    [InlineData("ISO_IR 126", "C4 E9 EF ED F5 F3 E9 EF F2", "Διονυσιος")]
    [InlineData("ISO_IR 138", "F9 F8 E5 EF 5E E3 E1 E5 F8 E4", "שרון^דבורה")]
    [InlineData("ISO_IR 166", "CA C1 AA D2 C2", "สมชาย")]
    [InlineData("ISO_IR 13", "D4 CF C0 DE 5E C0 DB B3", "ﾔﾏﾀﾞ^ﾀﾛｳ")]
    [InlineData("ISO_IR 192", "57 5E E7 8E 8B 3D E5 B0 8F", "W^王=小")]
    [InlineData("GB18030", "CD F5 5E D0 A1 B6 AB 81 30 89 38", "王^小东ß")]
    [InlineData("GBK", "CD F5 5E D0 A1 B6 AB", "王^小东")]
    [InlineData("ISO-IR 100", "E9", "é")]
    [InlineData("", "41 E9", "A\uFFFD")]
    [InlineData("of another world", "41 E9", "A\uFFFD")]
    public void Decode_OneSet_GivesItsLetters(string terms, string bytes, string expected) => Assert.Equal(expected, Decode(terms, bytes));

    /// <summary>PS3.5 Annexes H, I and K.</summary>
    [Theory]
    [InlineData(
        "\\ISO 2022 IR 87",
        "59 61 6D 61 64 61 3D 1B 24 42 3B 33 45 44 1B 28 42 5E 1B 24 42 42 40 4F 3A 1B 28 42 3D 1B 24 42 24 64 24 5E 24 40 1B 28 42",
        "Yamada=山田^太郎=やまだ")]
    [InlineData("ISO 2022 IR 13\\ISO 2022 IR 87", "D4 CF C0 DE 3D 1B 24 42 3B 33 45 44 1B 28 4A", "ﾔﾏﾀﾞ=山田")]
    [InlineData("\\ISO 2022 IR 149", "1B 24 29 43 FB F3 5E 1B 24 29 43 D1 CE D4 D7", "洪^吉洞")]
    [InlineData("\\ISO 2022 IR 58", "1B 24 29 41 D5 C5 5E 1B 24 29 41 D0 A1 B6 AB", "张^小东")]
    [InlineData("\\ISO 2022 IR 87\\ISO 2022 IR 159", "1B 24 28 44 30 21 1B 24 42 3B 33 1B 28 42 41", "丂山A")]
    [InlineData("ISO 2022 IR 100\\ISO 2022 IR 144", "E9 1B 2D 4C BB 1B 2D 41 E9", "éЛé")]
    [InlineData("\\ISO 2022 IR 126\\ISO 2022 IR 166\\ISO 2022 IR 203", "1B 2D 46 C4 1B 2D 54 CA 1B 2D 62 A4", "Δส€")]
    public void Decode_CodeExtensions_FollowTheEscapeSequences(string terms, string bytes, string expected) => Assert.Equal(expected, Decode(terms, bytes));

    /// <summary>PS3.5 §6.1.2.5.3: at a delimiter and at a control character the first set is back without an escape sequence.</summary>
    [Theory]
    [InlineData(DicomVr.PN, "1B 2D 4C BB 5E E9", "Л^é")]
    [InlineData(DicomVr.PN, "1B 2D 4C BB 3D E9", "Л=é")]
    [InlineData(DicomVr.LO, "1B 2D 4C BB 5E BB", "Л^Л")]
    [InlineData(DicomVr.LO, "1B 2D 4C BB 5C E9", "Л\\é")]
    [InlineData(DicomVr.LT, "1B 2D 4C BB 5C BB", "Л\\Л")]
    [InlineData(DicomVr.LT, "1B 2D 4C BB 0D 0A E9", "Л\r\né")]
    public void Decode_Delimiter_EndsWhatAnEscapeDesignated(DicomVr vr, string bytes, string expected) =>
        Assert.Equal(expected, CharacterSet.Of("ISO 2022 IR 100\\ISO 2022 IR 144"u8).Decode(FromHex(bytes), vr));

    [Fact]
    public void Texts_SecondByteLooksLikeTheSeparator_DoesNotSplitTheValue()
    {
        // 25 5C of JIS X 0208 and 81 5C of GBK are letters, though 5C alone is a backslash.
        Assert.Equal(["ボ", "B"], Texts("\\ISO 2022 IR 87", [0x1B, 0x24, 0x42, 0x25, 0x5C, 0x1B, 0x28, 0x42, 0x5C, 0x42]));
        Assert.Equal(["乗", "B"], Texts("GBK", [0x81, 0x5C, 0x5C, 0x42]));
    }

    [Theory]
    [InlineData("1B")]
    [InlineData("1B 24")]
    [InlineData("1B 24 42 3B")]
    [InlineData("1B 24 42 FF FF")]
    [InlineData("1B 24 29 43 FB")]
    [InlineData("1B 99 41")]
    public void Decode_BrokenBytes_GiveReplacementsAndNoException(string bytes) => Assert.Contains('\uFFFD', Decode("\\ISO 2022 IR 87\\ISO 2022 IR 149", bytes));

    [Theory]
    [InlineData("chrArab", "قباني^لنزار")]
    [InlineData("chrFren", "Buc^Jérôme")]
    [InlineData("chrGB2312", "Zhang^XiaoDong=张^小东=")]
    [InlineData("chrGerm", "Äneas^Rüdiger")]
    [InlineData("chrGreek", "Διονυσιος")]
    [InlineData("chrH31", "Yamada^Tarou=山田^太郎=やまだ^たろう")]
    [InlineData("chrH32", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう")]
    [InlineData("chrHbrw", "שרון^דבורה")]
    [InlineData("chrI2", "Hong^Gildong=洪^吉洞=홍^길동")]
    [InlineData("chrJapMulti", "やまだ^たろう")]
    [InlineData("chrJapMultiExplicitIR6", "やまだ^たろう")]
    [InlineData("chrKoreanMulti", "김희중")]
    [InlineData("chrRuss", "Люкceмбypг")]
    [InlineData("chrX1", "Wang^XiaoDong=王^小東")]
    [InlineData("chrX2", "Wang^XiaoDong=王^小东")]
    public void Text_FileOfTheConformanceSet_HasThePatientsName(string name, string expected)
    {
        var path = Path.Combine(SharedData.Folder("dicom_conformance/charset_fo-dicom"), name + ".dcm");

        Assert.Equal(expected.TrimEnd('='), DicomFile.OpenHeader(path).DataSet.Text(Tags.PatientName)!.TrimEnd('='));
    }

    [Theory]
    [InlineData("chrSQEncoding")]
    [InlineData("chrSQEncoding1")]
    public void Text_InAnItem_FollowsTheItemsOwnSetOrTheInheritedOne(string name)
    {
        var path = Path.Combine(SharedData.Folder("dicom_conformance/charset_fo-dicom"), name + ".dcm");
        var item = DicomFile.OpenHeader(path).DataSet.Items(new DicomTag(0x0032, 0x1064)).Single();

        Assert.Equal("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", item.Text(Tags.PatientName));
    }

    private static string Decode(string terms, string bytes) => CharacterSet.Of(Encoding.ASCII.GetBytes(terms)).Decode(FromHex(bytes), DicomVr.PN);

    private static IReadOnlyList<string> Texts(string terms, byte[] value)
    {
        var set = new DataSet("test.dcm", bigEndian: false, CharacterSet.Of(Encoding.ASCII.GetBytes(terms)));
        set.Add(new DicomElement(Tags.SeriesDescription, DicomVr.LO, new DicomBytes(value), null, null, 0));
        return set.Texts(Tags.SeriesDescription);
    }

    private static byte[] FromHex(string bytes) => Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal));
}
