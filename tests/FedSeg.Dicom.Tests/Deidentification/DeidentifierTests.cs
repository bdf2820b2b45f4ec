using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Deidentification;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Tests.Reading;
using FedSeg.Dicom.Writing;

namespace FedSeg.Dicom.Tests.Deidentification;

public sealed class DeidentifierTests
{
    private static readonly DicomTag PatientAge = new(0x0010, 0x1010);
    private static readonly DicomTag FrameOfReference = new(0x0020, 0x0052);
    private static readonly DicomTag Temporal = new(0x0028, 0x0303);
    private static readonly DicomTag MethodCodes = new(0x0012, 0x0064);
    private static readonly DicomTag FrameDateTime = new(0x0018, 0x9074);

    [Fact]
    public void Deidentify_BasicProfile_TakesWhatIdentifiesAndKeepsWhatMeasures()
    {
        using var run = new DeidentificationRun();

        var cleaned = run.Cleaned(SourceImage.Create());

        Assert.All([Tags.PatientName, Tags.PatientBirthDate, Tags.PatientSex, Tags.StudyDate, Tags.AccessionNumber], tag =>
            Assert.True(cleaned.Find(tag)!.Value.IsEmpty));
        Assert.All([PatientAge, Tags.SeriesDate, new DicomTag(0x0010, 0x1030)], tag => Assert.Null(cleaned.Find(tag)));
        Assert.StartsWith("FS-", cleaned.Text(Tags.PatientId), StringComparison.Ordinal);
        Assert.Equal("Scanners Inc", cleaned.Text(Tags.Manufacturer));
        Assert.Equal([-23.5, -19.5, 10.5], cleaned.RequiredNumbers(new DicomTag(0x0020, 0x0032), 3));
        Assert.Equal(SourceImage.Pixels, cleaned.Find(Tags.PixelData)!.Value.ToArray());
    }

    [Fact]
    public void Deidentify_BasicProfile_SaysSoInTheFile()
    {
        using var run = new DeidentificationRun();

        var cleaned = run.Cleaned(SourceImage.Create());

        Assert.Equal("YES", cleaned.Text(new DicomTag(0x0012, 0x0062)));
        Assert.NotNull(cleaned.Text(new DicomTag(0x0012, 0x0063)));
        Assert.Equal([("113100", "DCM", "Basic Application Confidentiality Profile")], Codes(cleaned));
        Assert.Equal("REMOVED", cleaned.Text(Temporal));
    }

    [Fact]
    public void Deidentify_WithOptions_NamesEachInTheFile()
    {
        using var run = new DeidentificationRun(ProfileOption.RetainUids, ProfileOption.RetainPatientCharacteristics,
            ProfileOption.RetainModifiedDates);

        var cleaned = run.Cleaned(SourceImage.Create());

        Assert.Equal(["113100", "113107", "113108", "113110"], Codes(cleaned).Select(code => code.Value));
        Assert.Equal("MODIFIED", cleaned.Text(Temporal));
    }

    [Fact]
    public void Deidentify_FileThatWasDeidentifiedBefore_KeepsWhatThatSaid()
    {
        using var run = new DeidentificationRun(ProfileOption.RetainFullDates);
        var source = SourceImage.Create().Text(Temporal, DicomVr.CS, "MODIFIED").Sequence(MethodCodes, new DataSetBuilder()
            .Text(Tags.CodeValue, "113107").Text(Tags.CodingSchemeDesignator, "DCM").Text(Tags.CodeMeaning, "whatever it said"));

        var cleaned = run.Cleaned(source);

        Assert.Equal(["113100", "113106", "113107"], Codes(cleaned).Select(code => code.Value));
        Assert.Equal("MODIFIED", cleaned.Text(Temporal));
    }

    [Fact]
    public void Deidentify_FullDates_KeepsDatesButNotTheBirthDate()
    {
        using var run = new DeidentificationRun(ProfileOption.RetainFullDates);

        var cleaned = run.Cleaned(SourceImage.Create());

        Assert.Equal(("20210301", "20210302", "093000"),
            (cleaned.Text(Tags.StudyDate), cleaned.Text(Tags.SeriesDate), cleaned.Text(Tags.StudyTime)));
        Assert.True(cleaned.Find(Tags.PatientBirthDate)!.Value.IsEmpty);
        Assert.Equal("UNMODIFIED", cleaned.Text(Temporal));
    }

    [Fact]
    public void Deidentify_ModifiedDates_MovesAllOfOnePatientByTheSameDays()
    {
        using var run = new DeidentificationRun(ProfileOption.RetainModifiedDates);
        var days = DeidentificationRun.Key.ShiftDays("MRN-4711");
        var expected = new DateOnly(2021, 3, 1).AddDays(days);

        var cleaned = run.Cleaned(SourceImage.Create().Text(FrameDateTime, DicomVr.DT, "20210303101112.5+0100"));

        Assert.Equal(expected.ToString("yyyyMMdd", null), cleaned.Text(Tags.StudyDate));
        Assert.Equal(expected.AddDays(1).ToString("yyyyMMdd", null), cleaned.Text(Tags.SeriesDate));
        Assert.Equal(expected.AddDays(2).ToString("yyyyMMdd", null) + "101112.5", cleaned.Text(FrameDateTime));
        Assert.True(cleaned.Find(Tags.PatientBirthDate)!.Value.IsEmpty);
    }

    [Fact]
    public void Deidentify_ModifiedDatesOnAnImpossibleDate_FallsBackToTheBasicProfile()
    {
        using var run = new DeidentificationRun(ProfileOption.RetainModifiedDates);

        var cleaned = run.Cleaned(SourceImage.Create().Text(Tags.StudyDate, "spring 21").Text(Tags.SeriesDate, "202103"));

        Assert.True(cleaned.Find(Tags.StudyDate)!.Value.IsEmpty);
        Assert.Null(cleaned.Find(Tags.SeriesDate));
    }

    [Theory]
    [InlineData("066Y", "066Y")]
    [InlineData("089Y", "089Y")]
    [InlineData("090Y", "090Y")]
    [InlineData("101Y", "090Y")]
    [InlineData("006M", "006M")]
    public void Deidentify_PatientCharacteristics_KeepsAgesUpTo89(string age, string kept)
    {
        using var run = new DeidentificationRun(ProfileOption.RetainPatientCharacteristics);

        var cleaned = run.Cleaned(SourceImage.Create().Text(PatientAge, DicomVr.AS, age));

        Assert.Equal((kept, "M", "81.5"),
            (cleaned.Text(PatientAge), cleaned.Text(Tags.PatientSex), cleaned.Text(new DicomTag(0x0010, 0x1030))));
    }

    [Fact]
    public void Deidentify_DeviceAndInstitutionIdentity_KeepsTheirs()
    {
        using var run = new DeidentificationRun(ProfileOption.RetainDeviceIdentity, ProfileOption.RetainInstitutionIdentity);
        var source = SourceImage.Create()
            .Text(Tags.StationName, "MR2")
            .Text(Tags.InstitutionName, "General Hospital")
            .Text(new DicomTag(0x0018, 0x1000), DicomVr.LO, "SN-1");

        var cleaned = run.Cleaned(source);

        Assert.Equal(("MR2", "General Hospital", "SN-1"),
            (cleaned.Text(Tags.StationName), cleaned.Text(Tags.InstitutionName), cleaned.Text(new DicomTag(0x0018, 0x1000))));
    }

    [Fact]
    public void Deidentify_CleanDescriptors_KeepsHarmlessWordsOnly()
    {
        using var run = new DeidentificationRun(ProfileOption.CleanDescriptors);

        var cleaned = run.Cleaned(SourceImage.Create()
            .Text(Tags.StudyDescription, "MR Head T2* for Dr. Mabuse, Kanari 4711")
            .Text(Tags.SeriesDescription, "Mabuse"));

        Assert.Equal("MR Head T2*", cleaned.Text(Tags.StudyDescription));
        Assert.Null(cleaned.Find(Tags.SeriesDescription));
    }

    [Fact]
    public void Deidentify_SafePrivate_KeepsTheListedOnesWithTheirCreator()
    {
        var source = () => SourceImage.Create()
            .Text(new DicomTag(0x0019, 0x0010), DicomVr.LO, "SIEMENS MR HEADER")
            .Text(new DicomTag(0x0019, 0x0011), DicomVr.LO, "SOMEBODY ELSE")
            .Text(new DicomTag(0x0019, 0x100C), DicomVr.IS, "1000")
            .Text(new DicomTag(0x0019, 0x1008), DicomVr.CS, "IMAGE NUM 4")
            .Text(new DicomTag(0x0019, 0x110C), DicomVr.IS, "77");
        using var basic = new DeidentificationRun();
        using var safe = new DeidentificationRun(ProfileOption.RetainSafePrivate);

        Assert.DoesNotContain(basic.Cleaned(source()).Elements, element => element.Tag.IsPrivate);
        Assert.Equal(
            [new DicomTag(0x0019, 0x0010), new DicomTag(0x0019, 0x100C)],
            safe.Cleaned(source()).Elements.Where(element => element.Tag.IsPrivate).Select(element => element.Tag));
    }

    [Fact]
    public void Deidentify_TwoFilesOfAStudy_KeepsTheirReferencesWhole()
    {
        using var run = new DeidentificationRun();
        var reference = (string instance) =>
            new DataSetBuilder().Text(Tags.ReferencedSopClassUid, SourceImage.MrImage).Text(Tags.ReferencedSopInstanceUid, instance);
        var first = run.Cleaned(SourceImage.Create("1.2.3.1"));
        var second = run.Cleaned(SourceImage.Create("1.2.3.2").Sequence(new DicomTag(0x0008, 0x1140), reference("1.2.3.1")));

        Assert.Equal(first.Text(Tags.SopInstanceUid),
            Assert.Single(second.Items(new DicomTag(0x0008, 0x1140))).Text(Tags.ReferencedSopInstanceUid));
        Assert.Equal(SourceImage.MrImage, second.Items(new DicomTag(0x0008, 0x1140))[0].Text(Tags.ReferencedSopClassUid));
        Assert.All([Tags.StudyInstanceUid, Tags.SeriesInstanceUid, FrameOfReference, Tags.PatientId], tag =>
            Assert.Equal(first.Text(tag), second.Text(tag)));
        Assert.Equal(DeidentificationRun.Key.Uid(SourceImage.FrameOfReference), first.Text(FrameOfReference));
    }

    [Fact]
    public void Deidentify_TheSameFileInTwoRuns_GivesTheSameBytes()
    {
        using var one = new DeidentificationRun();
        using var other = new DeidentificationRun();
        var source = DicomWriter.Encode(SourceImage.Create());

        Assert.Equal(one.Bytes(source), other.Bytes(source));
    }

    [Fact]
    public void Deidentify_WellKnownUid_StaysAsItIs()
    {
        using var run = new DeidentificationRun();

        Assert.Equal("1.2.840.10008.1.4.1.1",
            run.Cleaned(SourceImage.Create().Text(FrameOfReference, DicomVr.UI, "1.2.840.10008.1.4.1.1")).Text(FrameOfReference));
    }

    [Fact]
    public void Deidentify_RetainUids_KeepsThem()
    {
        using var run = new DeidentificationRun(ProfileOption.RetainUids);

        var cleaned = run.Cleaned(SourceImage.Create());

        Assert.Equal((SourceImage.Study, SourceImage.Instance), (cleaned.Text(Tags.StudyInstanceUid), cleaned.Text(Tags.SopInstanceUid)));
    }

    [Fact]
    public void Deidentify_MetaGroup_IsNewAndNamesTheNewInstance()
    {
        using var run = new DeidentificationRun();

        var file = DicomFile.Parse(run.Bytes(DicomWriter.Encode(SourceImage.Create())), "cleaned");

        Assert.Equal(file.DataSet.Text(Tags.SopInstanceUid), file.Meta.Text(Tags.MediaStorageSopInstanceUid));
        Assert.Equal(TransferSyntax.ExplicitLittleEndian, file.TransferSyntax);
    }

    [Fact]
    public void Deidentify_CompressedPixels_PassByteForByteInTheirSyntax()
    {
        using var run = new DeidentificationRun();
        byte[] fragment = [0xFF, 0xD8, 9, 8, 7, 6, 0xFF, 0xD9];
        var head = DicomWriter.Encode(SourceImage.Create().Text(Tags.PatientComments, "before"));
        var syntax = head.AsSpan().IndexOf("1.2.840.10008.1.2.1\0"u8);
        "1.2.840.10008.1.2.5\0"u8.CopyTo(head.AsSpan(syntax));
        byte[] file =
        [
            .. head[..^(12 + SourceImage.Pixels.Length)],
            .. new RawBytes().ExplicitHeader(0x7FE0, 0x0010, "OB", uint.MaxValue).Header(0xFFFE, 0xE000, 4).Raw([0, 0, 0, 0])
                .Header(0xFFFE, 0xE000, (uint)fragment.Length).Raw(fragment).Header(0xFFFE, 0xE0DD, 0).ToArray(),
        ];

        var cleaned = DicomFile.Parse(run.Bytes(file), "cleaned");

        Assert.Equal("1.2.840.10008.1.2.5", cleaned.TransferSyntax.Uid);
        Assert.Equal(fragment, Assert.Single(cleaned.DataSet.Find(Tags.PixelData)!.Encapsulated!.Fragments).ToMemory().ToArray());
        Assert.Equal([0, 0, 0, 0], cleaned.DataSet.Find(Tags.PixelData)!.Encapsulated!.OffsetTable.ToMemory().ToArray());
    }

    [Theory]
    [InlineData("clean-pixel-data")]
    [InlineData("clean-visual-features")]
    public void Parse_OptionThatNeedsEyes_IsRefusedWithItsReason(string name)
    {
        var refusal = Assert.Throws<ArgumentException>(() => DeidentificationProfile.Parse([name]));

        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_BothKindsOfDatesOrAnUnknownName_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => DeidentificationProfile.Parse(["full-dates", "modified-dates"]));
        Assert.Contains("patient-characteristics",
            Assert.Throws<ArgumentException>(() => DeidentificationProfile.Parse(["dates"])).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<(string Value, string Scheme, string Meaning)> Codes(DataSet cleaned) =>
        cleaned.Items(MethodCodes).Select(item =>
            (item.RequiredText(Tags.CodeValue), item.RequiredText(Tags.CodingSchemeDesignator), item.RequiredText(Tags.CodeMeaning)));
}
