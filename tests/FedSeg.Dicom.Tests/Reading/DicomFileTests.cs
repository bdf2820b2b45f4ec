using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Pixels;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;

namespace FedSeg.Dicom.Tests.Reading;

public sealed class DicomFileTests
{
    private const string Explicit = "1.2.840.10008.1.2.1";
    private const string Implicit = "1.2.840.10008.1.2";
    private const uint Undefined = 0xFFFFFFFF;

    [Fact]
    public void Parse_ImplicitSequenceOfUndefinedLength_GivesItsItems()
    {
        var bytes = RawBytes.Part10(Implicit)
            .Header(0x0009, 0x1001, Undefined)
            .Header(0xFFFE, 0xE000, Undefined).Implicit(0x0010, 0x0020, "A "u8).Header(0xFFFE, 0xE00D, 0)
            .Header(0xFFFE, 0xE000, 10).Implicit(0x0010, 0x0020, "B "u8)
            .Header(0xFFFE, 0xE0DD, 0)
            .Implicit(0x0010, 0x0010, "X "u8).ToArray();

        var set = Parse(bytes).DataSet;

        Assert.Equal(["A", "B"], set.Items(new DicomTag(0x0009, 0x1001)).Select(item => item.Text(Tags.PatientId)));
        Assert.Equal("X", set.Text(Tags.PatientName));
    }

    [Fact]
    public void Parse_UnknownRepresentationOfUndefinedLength_IsAnImplicitSequence()
    {
        var bytes = RawBytes.Part10(Explicit)
            .ExplicitHeader(0x0009, 0x1001, "UN", Undefined)
            .Header(0xFFFE, 0xE000, 10).Implicit(0x0010, 0x0020, "A "u8).Header(0xFFFE, 0xE0DD, 0).ToArray();

        Assert.Equal("A", Parse(bytes).DataSet.Items(new DicomTag(0x0009, 0x1001)).Single().Text(Tags.PatientId));
    }

    [Fact]
    public void Parse_BareImplicitDataSet_IsRead() =>
        Assert.Equal("MR", Parse(new RawBytes().Implicit(0x0008, 0x0060, "MR"u8).ToArray()).DataSet.Text(Tags.Modality));

    [Fact]
    public void Parse_BigEndian_SwapsTagsAndNumbers()
    {
        var bytes = RawBytes.Part10("1.2.840.10008.1.2.2").Raw([0x00, 0x28, 0x00, 0x10, (byte)'U', (byte)'S', 0x00, 0x02, 0x01, 0x02]).ToArray();

        Assert.Equal(0x0102, Parse(bytes).DataSet.WholeNumber(Tags.Rows));
    }

    [Fact]
    public void Parse_Utf8Text_IsDecoded()
    {
        var bytes = RawBytes.Part10(Explicit).Explicit(8, 5, "CS", "ISO_IR 192"u8).Explicit(0x10, 0x10, "PN", "Å"u8).ToArray();

        Assert.Equal("Å", Parse(bytes).DataSet.Text(Tags.PatientName));
    }

    [Fact]
    public void Parse_Latin1Item_InheritsTheCharacterSet()
    {
        var bytes = RawBytes.Part10(Explicit).Explicit(8, 5, "CS", "ISO_IR 100"u8)
            .ExplicitHeader(8, 0x1115, "SQ", 18).Header(0xFFFE, 0xE000, 10).Explicit(0x10, 0x10, "PN", [0xC5, (byte)' ']).ToArray();

        Assert.Equal("Å", Parse(bytes).DataSet.Items(Tags.ReferencedSeriesSequence).Single().Text(Tags.PatientName));
    }

    [Fact]
    public void Parse_LengthBeyondTheFile_IsMalformed() =>
        Refused(DicomFault.Malformed, RawBytes.Part10(Explicit).ExplicitHeader(0x10, 0x10, "OB", 0xFFFFFFF0).ToArray());

    [Fact]
    public void Parse_ItemLongerThanItsSequence_IsMalformed() =>
        Refused(DicomFault.Malformed, RawBytes.Part10(Explicit).ExplicitHeader(8, 0x1115, "SQ", 16).Header(0xFFFE, 0xE000, 200).Raw(new byte[300]).ToArray());

    [Fact]
    public void Parse_TextInsteadOfDicom_IsNotDicom() => Refused(DicomFault.NotDicom, "Dear colleague, please find attached the report of the patient."u8.ToArray());

    [Fact]
    public void Parse_EmptyFile_IsNotDicom() => Refused(DicomFault.NotDicom, []);

    [Fact]
    public void Parse_MoreElementsThanAllowed_ExceedsTheElementLimit()
    {
        var bytes = RawBytes.Part10(Explicit);
        for (ushort i = 0; i < 50; i++)
        {
            bytes.Explicit(9, i, "LO", "x "u8);
        }

        Refused(DicomFault.LimitExceeded, bytes.ToArray(), new DicomLimits { MaxElements = 40 });
    }

    [Fact]
    public void Parse_MoreFragmentsThanAllowed_ExceedsTheFragmentLimit()
    {
        var bytes = RawBytes.Part10("1.2.840.10008.1.2.5").ExplicitHeader(0x7FE0, 0x10, "OB", Undefined).Header(0xFFFE, 0xE000, 0);
        for (var i = 0; i < 20; i++)
        {
            bytes.Header(0xFFFE, 0xE000, 2).Raw([0, 0]);
        }

        Refused(DicomFault.LimitExceeded, bytes.Header(0xFFFE, 0xE0DD, 0).ToArray(), new DicomLimits { MaxFragments = 10 });
    }

    [Fact]
    public void Open_FileLargerThanAllowed_ExceedsTheFileLimit()
    {
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, Sample());

        Assert.Equal(DicomFault.LimitExceeded, Assert.Throws<DicomException>(() => DicomFile.Open(path, new DicomLimits { MaxFileBytes = 100 })).Fault);
        File.Delete(path);
    }

    [Fact]
    public void FrameReader_FewerBytesThanTheHeaderSays_IsMalformed()
    {
        var file = Parse(DicomWriter.Encode(Builder().Numbers(Tags.Rows, 3)));

        Assert.Equal(DicomFault.Malformed, Assert.Throws<DicomException>(() => new FrameReader(file)).Fault);
    }

    [Fact]
    public void FrameReader_UnknownTransferSyntax_NamesIt()
    {
        var file = Parse(RawBytes.Part10("1.2.840.10008.1.2.4.100").Raw(Sample().AsSpan(SampleDataSetStart())).ToArray());

        var refusal = Assert.Throws<DicomException>(() => new FrameReader(file));

        Assert.Equal(DicomFault.UnsupportedTransferSyntax, refusal.Fault);
        Assert.Contains("1.2.840.10008.1.2.4.100", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Message_BadTextValue_DoesNotRepeatIt()
    {
        var set = Parse(DicomWriter.Encode(Builder().Text(Tags.SliceThickness, "CanarySecret"))).DataSet;

        Assert.DoesNotContain("Canary", Assert.Throws<DicomException>(() => set.Number(Tags.SliceThickness)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_BitsAboveStored_AreMaskedAndTheSignExtended()
    {
        // Twelve bits stored, signed; rubbish in the top four: F0FFF -> -1, 7800 -> -2048, 07FF -> 2047.
        var set = Builder().Numbers(Tags.BitsStored, 12).Numbers(Tags.HighBit, 11).Numbers(Tags.PixelRepresentation, 1)
            .Bytes(Tags.PixelData, DicomVr.OW, [0xFF, 0xAF, 0x00, 0x78, 0xFF, 0x07, 0x01, 0xF0]);
        var pixels = new byte[8];

        new FrameReader(Parse(DicomWriter.Encode(set))).Read(0, pixels);

        Assert.Equal([-1, -2048, 2047, 1], Enumerable.Range(0, 4).Select(i => (int)BitConverter.ToInt16(pixels, 2 * i)));
    }

    [Fact]
    public void Read_OneBitFrames_RunOnAcrossFramesFromTheLowestBit()
    {
        // PS3.5 8.1.1 and the reference page: 1,0,1,1,0,0,0,1,1 is 8D 01; here as three frames of three pixels.
        var set = Builder().Numbers(Tags.Rows, 1).Numbers(Tags.Columns, 3).Numbers(Tags.NumberOfFrames, 3)
            .Numbers(Tags.BitsAllocated, 1).Numbers(Tags.BitsStored, 1).Numbers(Tags.HighBit, 0).Bytes(Tags.PixelData, DicomVr.OB, [0x8D, 0x01]);
        var frames = new FrameReader(Parse(DicomWriter.Encode(set)));
        var second = new byte[3];
        var third = new byte[3];

        frames.Read(1, second);
        frames.Read(2, third);

        Assert.Equal<byte>([1, 0, 0], second);
        Assert.Equal<byte>([0, 1, 1], third);
    }

    [Fact]
    public void OpenHeader_LongHeader_ReadsAsMuchAsItNeedsAndStopsAtThePixels()
    {
        var path = Path.GetTempFileName();
        DicomWriter.Write(path, Builder().Sequence(Tags.ReferencedSeriesSequence, Enumerable.Range(0, 5000).Select(i => new DataSetBuilder().Text(Tags.SeriesInstanceUid, $"1.2.{i}"))));

        var set = DicomFile.OpenHeader(path).DataSet;

        Assert.Equal(5000, set.Items(Tags.ReferencedSeriesSequence).Count);
        Assert.Null(set.Find(Tags.PixelData));
        Assert.Equal(2, set.WholeNumber(Tags.Rows));
        File.Delete(path);
    }

    /// <summary>Cut at every byte, a file either still parses (the cut fell between two elements) or ends in the one typed exception.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Parse_TruncatedAtEveryByte_EndsInDicomExceptionOnly(bool delimited)
    {
        var whole = delimited ? DelimitedSample() : Sample();
        for (var length = 0; length < whole.Length; length++)
        {
            Survive(whole[..length]);
        }
    }

    /// <summary>Every byte of a small file set to hostile values, one at a time.</summary>
    [Theory]
    [InlineData(0x00)]
    [InlineData(0xFF)]
    [InlineData(0x7F)]
    [InlineData(0x80)]
    public void Parse_EveryByteReplaced_EndsInDicomExceptionOnly(byte value)
    {
        foreach (var whole in new[] { Sample(), DelimitedSample() })
        {
            for (var i = 128; i < whole.Length; i++)
            {
                var damaged = whole.ToArray();
                damaged[i] = value;
                Survive(damaged);
            }
        }
    }

    private static void Survive(byte[] bytes)
    {
        try
        {
            var frames = new FrameReader(Parse(bytes, new DicomLimits { MaxPixelBytes = 1 << 20, MaxFrameBytes = 1 << 20 }));
            frames.Read(0, new byte[frames.Layout.FrameBytes]);
        }
        catch (DicomException)
        {
            // The one failure that bytes may cause.
        }
    }

    private static DataSetBuilder Builder() => new DataSetBuilder()
        .Text(Tags.SopClassUid, "1.2.840.10008.5.1.4.1.1.4").Text(Tags.SopInstanceUid, "1.2.3").Text(Tags.PatientName, "Canary^Test")
        .Sequence(Tags.ReferencedSeriesSequence, new DataSetBuilder().Text(Tags.SeriesInstanceUid, "1.2.4"))
        .Numbers(Tags.Rows, 2).Numbers(Tags.Columns, 2).Numbers(Tags.SamplesPerPixel, 1)
        .Numbers(Tags.BitsAllocated, 16).Numbers(Tags.BitsStored, 16).Numbers(Tags.HighBit, 15).Numbers(Tags.PixelRepresentation, 0)
        .Bytes(Tags.PixelData, DicomVr.OW, [1, 2, 3, 4, 5, 6, 7, 8]);

    private static byte[] Sample() => DicomWriter.Encode(Builder());

    private static int SampleDataSetStart()
    {
        var bytes = Sample();
        return 132 + 12 + BitConverter.ToInt32(bytes, 140);
    }

    /// <summary>RLE fragments, and sequences and items of undefined length.</summary>
    private static byte[] DelimitedSample()
    {
        var rle = new byte[64 + 6];
        (rle[0], rle[4], rle[8]) = (2, 64, 67);
        (rle[64], rle[65], rle[67], rle[68]) = (0xFD, 1, 0xFD, 2);
        return RawBytes.Part10("1.2.840.10008.1.2.5")
            .ExplicitHeader(8, 0x1115, "SQ", Undefined)
            .Header(0xFFFE, 0xE000, Undefined).Explicit(0x20, 0xE, "UI", "1.24"u8).Header(0xFFFE, 0xE00D, 0)
            .Header(0xFFFE, 0xE0DD, 0)
            .Explicit(0x28, 0x02, "US", [1, 0]).Explicit(0x28, 0x10, "US", [2, 0]).Explicit(0x28, 0x11, "US", [2, 0])
            .Explicit(0x28, 0x100, "US", [16, 0]).Explicit(0x28, 0x101, "US", [16, 0]).Explicit(0x28, 0x102, "US", [15, 0]).Explicit(0x28, 0x103, "US", [0, 0])
            .ExplicitHeader(0x7FE0, 0x10, "OB", Undefined).Header(0xFFFE, 0xE000, 0).Header(0xFFFE, 0xE000, (uint)rle.Length).Raw(rle)
            .Header(0xFFFE, 0xE0DD, 0).ToArray();
    }

    private static DicomFile Parse(byte[] bytes, DicomLimits? limits = null) => DicomFile.Parse(bytes, "test.dcm", limits);

    private static void Refused(DicomFault fault, byte[] bytes, DicomLimits? limits = null) =>
        Assert.Equal(fault, Assert.Throws<DicomException>(() => Parse(bytes, limits)).Fault);
}
