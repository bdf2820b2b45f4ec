using FedSeg.Dicom.Pixels;
using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Tests.Codecs;

/// <summary>Pictures that are signed in 16 bits, unsigned 12 in 16, unsigned 8 and colour, against their uncompressed twins. The encoders were DCMTK, GDCM and OpenJPH.</summary>
public sealed class CodecMatrixTests
{
    private static readonly DicomLimits Limits = new() { AllowHtj2k = true };
    private static readonly string[] Pictures = ["s16", "u12", "u8", "rgb"];
    private static readonly string[] Lossless = ["implicit", "bigendian", "deflated", "deflatedframe", "rle", "jpeg57", "jpeg70", "jpegls80", "j2k90", "htj2k201", "htj2k202"];

    public static TheoryData<string, string> LosslessFiles => [.. from picture in Pictures from coding in Lossless where picture != "rgb" || !coding.StartsWith("htj2k", StringComparison.Ordinal) select (picture, coding)];

    [Theory]
    [MemberData(nameof(LosslessFiles))]
    public void Read_LosslessSyntax_GivesTheRawPictureBitForBit(string picture, string coding) =>
        Assert.Equal(Values($"{picture}.raw"), Values($"{picture}.{coding}"));

    /// <param name="coding">Picture and coding.</param>
    /// <param name="tolerance">
    /// Largest difference from the raw picture. Near-lossless JPEG-LS promises 2; of the others it is what the encoder's quality left, twice, rounded up: their
    /// decoders are held against oracles in the conformance set.
    /// </param>
    [Theory]
    [InlineData("u12.jpegls81", 2)]
    [InlineData("u8.jpegls81", 2)]
    [InlineData("rgb.jpegls81", 2)]
    [InlineData("u8.jpeg50", 12)]
    [InlineData("u12.jpeg51", 64)]
    [InlineData("s16.j2k91", 2000)]
    [InlineData("u12.j2k91", 1200)]
    [InlineData("u8.j2k91", 24)]
    [InlineData("s16.htj2k203", 200)]
    [InlineData("u12.htj2k203", 16)]
    [InlineData("u8.htj2k203", 2)]
    public void Read_LossySyntax_StaysNearTheRawPicture(string coding, int tolerance)
    {
        var difference = Values(coding[..coding.IndexOf('.', StringComparison.Ordinal)] + ".raw").Zip(Values(coding), (raw, decoded) => Math.Abs(raw - decoded)).Max();

        Assert.InRange(difference, 0, tolerance);
    }

    /// <summary>
    /// Found by the fuzz test: an HTJ2K codestream under any JPEG 2000 syntax reaches OpenJPEG's HTJ2K decoder, whose assertions end the process when the bits are
    /// corrupt. It is refused before.
    /// </summary>
    [Fact]
    public void Read_Htj2kUnderAJpeg2000Syntax_IsRefusedBeforeOpenJpegSeesIt()
    {
        var bytes = Corpus.Read("u12.htj2k201");
        var uid = "1.2.840.10008.1.2.4.201"u8;
        "1.2.840.10008.1.2.4.90\0"u8.CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf(uid)));
        using var file = DicomFile.Parse(bytes, "x.dcm");
        var frames = new FrameReader(file);

        var refusal = Assert.Throws<DicomException>(() => frames.Read(0, new byte[frames.Layout.FrameBytes]));

        Assert.Equal(DicomFault.UnsupportedTransferSyntax, refusal.Fault);
        Assert.Contains("HTJ2K", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>The picture's whitest pixels overshoot 4095 by the codec's error; masked to twelve bits they would be black.</summary>
    [Fact]
    public void Read_LossyOvershoot_StaysWhite() => Assert.Equal(4095, Values("u12.j2k91").Max());

    [Fact]
    public void Open_FileOnDisk_GivesTheSameAsBytesInMemory()
    {
        Assert.All(Directory.GetFiles(Corpus.Folder), path =>
        {
            using var inMemory = DicomFile.Parse(File.ReadAllBytes(path), path, Limits);
            Assert.Equal(FileSummary.Of(inMemory), FileSummary.Of(path, Limits));
        });
    }

    private static int[] Values(string name)
    {
        using var file = DicomFile.Open(Corpus.PathOf(name), Limits);
        var frames = new FrameReader(file);
        var bytes = new byte[frames.Layout.FrameBytes];
        frames.Read(0, bytes);
        return [.. Enumerable.Range(0, frames.Layout.ValuesPerFrame).Select(i => frames.Layout switch
        {
            { BytesPerValue: 1 } => bytes[i],
            { IsSigned: true } => BitConverter.ToInt16(bytes, 2 * i),
            _ => (int)BitConverter.ToUInt16(bytes, 2 * i),
        })];
    }
}
