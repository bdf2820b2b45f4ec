using System.Text;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Deidentification;
using FedSeg.Dicom.Writing;

namespace FedSeg.Dicom.Tests.Deidentification;

public sealed class QuarantineTests : IDisposable
{
    private readonly DeidentificationRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData("1.2.840.10008.5.1.4.1.1.7", QuarantineReason.SecondaryCapture)]
    [InlineData("1.2.840.10008.5.1.4.1.1.7.4", QuarantineReason.SecondaryCapture)]
    [InlineData("1.2.840.10008.5.1.4.1.1.6.1", QuarantineReason.UltrasoundWithoutRules)]
    [InlineData("1.2.840.10008.5.1.4.1.1.3.1", QuarantineReason.UltrasoundWithoutRules)]
    [InlineData("1.2.840.10008.5.1.4.1.1.12.1", QuarantineReason.AngiographyWithoutRules)]
    [InlineData("1.2.840.10008.5.1.4.1.1.77.1.6", QuarantineReason.VisibleLight)]
    [InlineData("1.2.840.10008.5.1.4.1.1.104.1", QuarantineReason.EncapsulatedDocument)]
    [InlineData("1.2.840.10008.5.1.4.1.1.88.33", QuarantineReason.StructuredReport)]
    [InlineData("1.2.840.10008.5.1.4.1.1.66", QuarantineReason.SopClassNotListed)]
    [InlineData("1.3.12.2.1107.5.9.1", QuarantineReason.SopClassNotListed)]
    public void Deidentify_SopClassThatMayShowNames_IsHeldBack(string sopClass, QuarantineReason reason) =>
        AssertHeldBack(SourceImage.Create().Text(Tags.SopClassUid, sopClass), reason);

    /// <summary>One file of thousands that went away, or that permissions hide, must not end the run.</summary>
    [Fact]
    public void Deidentify_FileThatCantBeOpened_IsHeldBack() =>
        Assert.Equal(new QuarantinedFile(QuarantineReason.Unreadable), _run.Outcome(Path.Combine(_run.Output, "gone.dcm")));

    [Fact]
    public void Deidentify_BurnedInAnnotation_IsHeldBack() =>
        AssertHeldBack(SourceImage.Create().Text(Tags.BurnedInAnnotation, "YES"), QuarantineReason.BurnedInAnnotation);

    [Fact]
    public void Deidentify_ConversionType_IsHeldBack() =>
        AssertHeldBack(SourceImage.Create().Text(new DicomTag(0x0008, 0x0064), DicomVr.CS, "WSD"), QuarantineReason.SecondaryCapture);

    [Fact]
    public void Deidentify_ScreenSave_IsHeldBack() =>
        AssertHeldBack(SourceImage.Create().Text(Tags.ImageType, "DERIVED", "PRIMARY", "SCREEN SAVE"), QuarantineReason.ScreenSave);

    [Fact]
    public void Deidentify_DerivedSecondary_IsHeldBackUnlessItSaysThatNothingIsBurnedIn()
    {
        var source = () => SourceImage.Create().Text(Tags.ImageType, "DERIVED", "SECONDARY", "MPR");

        AssertHeldBack(source(), QuarantineReason.DerivedSecondary);
        Assert.IsType<DeidentifiedFile>(_run.Outcome(DicomWriter.Encode(source().Text(Tags.BurnedInAnnotation, "NO"))));
    }

    [Fact]
    public void Deidentify_OverlayInsideThePixels_IsHeldBack() =>
        AssertHeldBack(SourceImage.Create().Bytes(new DicomTag(0x6000, 0x0010), DicomVr.US, [2, 0]), QuarantineReason.OverlayInPixelData);

    [Fact]
    public void Deidentify_EncapsulatedDocumentInAnyClass_IsHeldBack() =>
        AssertHeldBack(SourceImage.Create().Bytes(new DicomTag(0x0042, 0x0011), DicomVr.OB, "%PDF"u8.ToArray()),
            QuarantineReason.EncapsulatedDocument);

    [Fact]
    public void Deidentify_NoUid_IsHeldBack() =>
        AssertHeldBack(SourceImage.Create().Text(Tags.SeriesInstanceUid), QuarantineReason.MissingUid);

    [Fact]
    public void Deidentify_SecondFileOfAnInstance_IsHeldBack()
    {
        _run.Bytes(DicomWriter.Encode(SourceImage.Create()));

        AssertReason(DicomWriter.Encode(SourceImage.Create()), QuarantineReason.DuplicateInstance);
    }

    [Theory]
    [InlineData("1.2.840.10008.1.2.2\0")]
    [InlineData("1.2.840.113619.5.2\0\0")]
    public void Deidentify_SyntaxThatCantBeTakenOver_IsNotWritten(string syntax)
    {
        var file = DicomWriter.Encode(SourceImage.Create());
        Encoding.ASCII.GetBytes(syntax).CopyTo(file, file.AsSpan().IndexOf("1.2.840.10008.1.2.1\0"u8));

        Assert.IsType<QuarantinedFile>(_run.Outcome(file));
        Assert.Equal(0, _run.Report.Files);
    }

    [Fact]
    public void Deidentify_NotDicomOrTruncated_IsHeldBack()
    {
        AssertReason("not a DICOM file, but a letter to Knut Kanari"u8.ToArray(), QuarantineReason.NotDicom);
        AssertReason(DicomWriter.Encode(SourceImage.Create())[..^5], QuarantineReason.Unreadable);
    }

    private void AssertHeldBack(DataSetBuilder source, QuarantineReason reason)
    {
        AssertReason(DicomWriter.Encode(source), reason);
        Assert.False(Directory.Exists(_run.Output));
    }

    private void AssertReason(byte[] file, QuarantineReason reason)
    {
        Assert.Equal(new QuarantinedFile(reason), _run.Outcome(file));
        Assert.Equal(1, _run.Report.Quarantined[reason]);
    }
}
