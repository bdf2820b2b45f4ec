using System.Text;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Tests.Reading;
using FedSeg.Dicom.Writing;

namespace FedSeg.Dicom.Tests.Deidentification;

/// <summary>Words that must not come out, in every representation, in items, private blocks and the corners of a file.</summary>
public sealed class CanaryTests : IDisposable
{
    private const string Word = "Kanari";
    private const string Accented = "Kanärivögel";

    private static readonly DicomTag UnknownAttribute = new(0x0018, 0x7777);
    private static readonly DicomTag ProcedureCode = new(0x0008, 0x1032);

    private readonly DeidentificationRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public void Deidentify_CanariesInEveryTextRepresentation_LeavesNone()
    {
        var source = DicomWriter.Encode(Plant(SourceImage.Create())
            .Sequence(ProcedureCode, Plant(Coded("Kanari's head scan")))
            .Sequence(new DicomTag(0x5200, 0x9229),
                Plant(new DataSetBuilder()).Sequence(new DicomTag(0x0018, 0x9006), Plant(new DataSetBuilder()))));

        var cleaned = _run.Bytes(source);

        Assert.True(Occurrences(source, Word) > 80, $"only {Occurrences(source, Word)} canaries were planted");
        Assert.Equal(0, Occurrences(cleaned, Word));
        Assert.Equal(0, Occurrences(cleaned, "MRN-4711"));
        Assert.Equal(0, Occurrences(cleaned, "1999010"));
    }

    [Theory]
    [InlineData("ISO_IR 100")]
    [InlineData("ISO_IR 192")]
    public void Deidentify_AccentedCanaries_LeavesNoneInAnyEncoding(string characterSet)
    {
        var encoding = characterSet == "ISO_IR 192" ? Encoding.UTF8 : Encoding.Latin1;
        var name = encoding.GetBytes(Accented + "^Knut");
        var protocol = encoding.GetBytes("Kopf " + Accented);
        var file = WithCharacterSet(characterSet, set => set
            .Bytes(Tags.PatientName, DicomVr.PN, name)
            .Bytes(new DicomTag(0x0018, 0x1250), DicomVr.SH, protocol)
            .Bytes(new DicomTag(0x0008, 0x1030), DicomVr.LO, protocol));

        var cleaned = _run.Bytes(file);

        Assert.True(file.AsSpan().IndexOf(encoding.GetBytes(Accented)) >= 0);
        Assert.Equal(-1, cleaned.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Accented)));
        Assert.Equal(-1, cleaned.AsSpan().IndexOf(Encoding.Latin1.GetBytes(Accented)));
        Assert.Equal(0, Occurrences(cleaned, "Kan"));
    }

    /// <summary>Implicit VR says nothing of sequences: without the dictionary the items of a rare one would pass as opaque bytes.</summary>
    [Fact]
    public void Deidentify_ImplicitVrWithCanariesInRareSequences_LeavesNone()
    {
        var item = new RawBytes().Implicit(0x0008, 0x0080, "Kanari Clinic "u8).Implicit(0x0008, 0x0104, "Kanari"u8).ToArray();
        var code = new RawBytes().Header(0xFFFE, 0xE000, (uint)item.Length).Raw(item).ToArray();
        var file = RawBytes.Part10("1.2.840.10008.1.2")
            .Implicit(0x0008, 0x0016, "1.2.840.10008.5.1.4.1.1.4\0"u8)
            .Implicit(0x0008, 0x0018, "1.2.3.4.5\0"u8)
            .Implicit(0x0009, 0x0010, "KANARI CORP "u8)
            .Implicit(0x0009, 0x1001, "Kanari"u8)
            .Implicit(0x0010, 0x0010, "Kanari^Knut "u8)
            .Implicit(0x0018, 0x7777, "Kanari"u8)
            .Implicit(0x0018, 0x9504, code)
            .Implicit(0x0020, 0x000D, "1.2.3.4"u8)
            .Implicit(0x0020, 0x000E, "1.2.3.4.1\0"u8)
            .Implicit(0x0028, 0x0103, [1, 0])
            .Implicit(0x0028, 0x0106, [0xF0, 0xFF])
            .Implicit(0x7FE0, 0x0010, [1, 2, 3, 4])
            .ToArray();

        var bytes = _run.Bytes(file);
        var cleaned = FedSeg.Dicom.Reading.DicomFile.Parse(bytes, "cleaned").DataSet;

        Assert.Equal(0, Occurrences(bytes, Word));
        Assert.Equal("REMOVED", Assert.Single(cleaned.Items(new DicomTag(0x0018, 0x9504))).Text(Tags.CodeMeaning));
        Assert.Equal(-16, cleaned.Number(new DicomTag(0x0028, 0x0106)));
        Assert.Equal([1, 2, 3, 4], cleaned.Find(Tags.PixelData)!.Value.ToArray());
    }

    [Fact]
    public void Deidentify_CanariesAroundTheDataSet_LeavesNone()
    {
        var preamble = Encoding.ASCII.GetBytes("Kanari".PadRight(128, '!'));
        var plain = DicomWriter.Encode(SourceImage.Create())[132..];
        // The group length (12 bytes) counts one element more: SourceApplicationEntityTitle.
        var title = new RawBytes().Explicit(0x0002, 0x0016, "AE", "KANARI_PACS "u8).ToArray();
        var metaLength = BitConverter.ToUInt32(plain, 8);
        byte[] file =
        [
            .. preamble, .. "DICM"u8, .. plain[..8], .. BitConverter.GetBytes(metaLength + (uint)title.Length),
                .. plain[12..(int)(12 + metaLength)], .. title,
            .. plain[(int)(12 + metaLength)..],
            .. new RawBytes().Explicit(0xFFFC, 0xFFFC, "OB", "Kanari"u8).ToArray(),
        ];

        var cleaned = _run.Bytes(file);

        Assert.Equal(0, Occurrences(cleaned, Word));
        Assert.All(cleaned[..128], value => Assert.Equal(0, value));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_run.Output, "*", SearchOption.AllDirectories), path =>
            path.Contains(Word, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Report_AfterCanaries_HoldsNone()
    {
        _run.Bytes(DicomWriter.Encode(Plant(SourceImage.Create())));

        var report = System.Text.Json.JsonSerializer.Serialize(_run.Report);

        Assert.Contains("private", report, StringComparison.Ordinal);
        Assert.DoesNotContain(Word, report, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("4711", report, StringComparison.Ordinal);
    }

    private static DataSetBuilder Plant(DataSetBuilder set) => set
        .Text(new DicomTag(0x0008, 0x0054), DicomVr.AE, "KANARI_AE")
        .Text(new DicomTag(0x0008, 0x0055), DicomVr.AE, "KANARI_AE")
        .Text(new DicomTag(0x0010, 0x21A0), DicomVr.CS, "KANARI")
        .Text(new DicomTag(0x0010, 0x0030), DicomVr.DA, "19990101")
        .Text(new DicomTag(0x0010, 0x0032), DicomVr.TM, "199901")
        .Text(new DicomTag(0x0018, 0x9074), DicomVr.DT, "19990101123456")
        .Text(new DicomTag(0x0010, 0x1020), DicomVr.DS, "Kanari")
        .Text(new DicomTag(0x0018, 0x0087), DicomVr.DS, "1.5 Kanari")
        .Text(new DicomTag(0x0020, 0x0012), DicomVr.IS, "Kanari")
        .Text(new DicomTag(0x0010, 0x0021), DicomVr.LO, "Kanari Trust")
        .Text(new DicomTag(0x0010, 0x1000), DicomVr.LO, "Kanari-1", "Kanari-2")
        .Text(new DicomTag(0x0018, 0x1251), DicomVr.SH, "Coil Kanari")
        .Text(new DicomTag(0x0010, 0x4000), DicomVr.LT, "Mr Kanari\\said")
        .Text(new DicomTag(0x0018, 0x7006), DicomVr.LT, "Kanari's detector")
        .Text(new DicomTag(0x0008, 0x1050), DicomVr.PN, "Kanari^Doctor=Kanari^Doctor")
        .Text(new DicomTag(0x0040, 0xA123), DicomVr.PN, "Kanari^Kim")
        .Text(new DicomTag(0x0008, 0x0050), DicomVr.SH, "Kanari-9")
        .Text(new DicomTag(0x0008, 0x0081), DicomVr.ST, "1 Kanari Street")
        .Text(new DicomTag(0x0062, 0x0006), DicomVr.ST, "Segment of Kanari")
        .Text(new DicomTag(0x0018, 0x9908), DicomVr.UC, "Kanari")
        .Text(new DicomTag(0x0008, 0x1190), DicomVr.UR, "https://pacs/Kanari")
        .Text(new DicomTag(0x0040, 0xA160), DicomVr.UT, "Kanari told us")
        .Text(new DicomTag(0x0020, 0x9164), DicomVr.UI, "1.2.Kanari")
        .Text(new DicomTag(0x0008, 0x2112), DicomVr.LO, "Kanari in a wrong representation")
        .Text(UnknownAttribute, DicomVr.LO, "Kanari of the future")
        .Bytes(new DicomTag(0x0018, 0x7779), DicomVr.UN, Encoding.ASCII.GetBytes(Word))
        .Sequence(new DicomTag(0x0010, 0x1002), new DataSetBuilder().Text(new DicomTag(0x0010, 0x0020), DicomVr.LO, "Kanari-3"))
        .Sequence(new DicomTag(0x0040, 0x1101), Coded("Nurse Kanari"))
        .Text(new DicomTag(0x0009, 0x0010), DicomVr.LO, "KANARI CORP")
        .Text(new DicomTag(0x0009, 0x1001), DicomVr.LO, "Kanari")
        .Sequence(new DicomTag(0x0009, 0x1002), new DataSetBuilder().Text(new DicomTag(0x0010, 0x0010), DicomVr.PN, "Kanari"))
        .Bytes(new DicomTag(0x0009, 0x1003), DicomVr.UN, Encoding.ASCII.GetBytes(Word))
        .Text(new DicomTag(0x5000, 0x0022), DicomVr.LO, "Kanari curve")
        .Text(new DicomTag(0x6000, 0x0022), DicomVr.LO, "Kanari overlay")
        .Text(new DicomTag(0x6000, 0x4000), DicomVr.LT, "Kanari overlay comment")
        .Bytes(new DicomTag(0x6000, 0x3000), DicomVr.OW, Encoding.ASCII.GetBytes(Word));

    private static DataSetBuilder Coded(string meaning) => new DataSetBuilder()
        .Text(Tags.CodeValue, "P5-0905A")
        .Text(Tags.CodingSchemeDesignator, "SRT")
        .Text(Tags.CodeMeaning, meaning);

    /// <summary>
    /// A file whose text is in this character set; the writer of FedSeg knows UTF-8 only, so the declaration is exchanged in the bytes.
    /// </summary>
    private static byte[] WithCharacterSet(string characterSet, Action<DataSetBuilder> change)
    {
        var set = SourceImage.Create();
        change(set);
        var file = DicomWriter.Encode(set);
        Encoding.ASCII.GetBytes(characterSet).CopyTo(file, file.AsSpan().IndexOf("ISO_IR 192"u8));
        return file;
    }

    private static int Occurrences(byte[] bytes, string word) =>
        Encoding.Latin1.GetString(bytes).Split(word, StringSplitOptions.None).Length - 1
        + (word == Word ? Encoding.Latin1.GetString(bytes).Split(word.ToUpperInvariant(), StringSplitOptions.None).Length - 1 : 0);
}
