using FedSeg.Dicom.Codecs;
using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Tests.Codecs;

public sealed class FrameDecodersTests
{
    private static readonly FrameDecoders WithoutLibraries = new(null, null, null);
    private static readonly DicomLimits WithHtj2k = new() { AllowHtj2k = true };

    [Theory]
    [InlineData("1.2.840.10008.1.2.4.80", "libcharls2")]
    [InlineData("1.2.840.10008.1.2.4.81", "libcharls2")]
    [InlineData("1.2.840.10008.1.2.4.90", "libopenjp2-7")]
    [InlineData("1.2.840.10008.1.2.4.91", "libopenjp2-7")]
    [InlineData("1.2.840.10008.1.2.4.201", "libopenjp2-7")]
    public void For_LibraryMissing_NamesTheSyntaxAndThePackage(string syntax, string package)
    {
        var refusal = Assert.Throws<DicomException>(() => WithoutLibraries.For(TransferSyntax.Of(syntax), "x.dcm", WithHtj2k));

        Assert.Equal(DicomFault.CodecMissing, refusal.Fault);
        Assert.Contains(syntax, refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"apt-get install {package}", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2.4.0", false)]
    [InlineData("2.5.0", true)]
    public void For_Htj2k_AsksForOpenJpegOfVersion25(string version, bool isDecoded)
    {
        var decoders = new FrameDecoders(RleDecoder.Instance, Version.Parse(version), null);
        var syntax = TransferSyntax.Of("1.2.840.10008.1.2.4.203");

        if (isDecoded)
        {
            Assert.Same(RleDecoder.Instance, decoders.For(syntax, "x.dcm", WithHtj2k));
        }
        else
        {
            Assert.Contains("OpenJPEG 2.5 or newer", Assert.Throws<DicomException>(() => decoders.For(syntax, "x.dcm", WithHtj2k)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void For_Htj2kNotAllowed_SaysHowToAllowIt()
    {
        var refusal = Assert.Throws<DicomException>(() => FrameDecoders.OfThisMachine.For(TransferSyntax.Of("1.2.840.10008.1.2.4.201"), "x.dcm", DicomLimits.Default));

        Assert.Equal(DicomFault.UnsupportedTransferSyntax, refusal.Fault);
        Assert.Contains(nameof(DicomLimits.AllowHtj2k), refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.2.840.10008.1.2.5")]
    [InlineData("1.2.840.10008.1.2.4.50")]
    [InlineData("1.2.840.10008.1.2.4.51")]
    [InlineData("1.2.840.10008.1.2.4.57")]
    [InlineData("1.2.840.10008.1.2.4.70")]
    [InlineData("1.2.840.10008.1.2.8.1")]
    public void For_ManagedCodec_NeedsNoLibrary(string syntax) => Assert.NotNull(WithoutLibraries.For(TransferSyntax.Of(syntax), "x.dcm", WithHtj2k));

    [Fact]
    public void For_SyntaxThatNothingDecodes_IsUnsupported() =>
        Assert.Equal(DicomFault.UnsupportedTransferSyntax, Assert.Throws<DicomException>(() => WithoutLibraries.For(TransferSyntax.Of("1.2.840.10008.1.2.4.55"), "x.dcm", WithHtj2k)).Fault);
}
