using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Pixels;
using FedSeg.Dicom.Reading;
using FedSeg.Testing;

namespace FedSeg.Dicom.Tests.Reading;

/// <summary>Files that were made to hurt: each ends in the typed error, and none makes the reader take much memory or time.</summary>
public sealed class HostileFileTests
{
    private const string Explicit = "1.2.840.10008.1.2.1";
    private const string Rle = "1.2.840.10008.1.2.5";
    private const uint Undefined = 0xFFFFFFFF;

    [Theory]
    [InlineData("MZ")]
    [InlineData("#!/bin/sh\n")]
    [InlineData("\u007fELF")]
    public void Parse_PreambleIsAProgram_IsRefused(string mark)
    {
        var bytes = Corpus.Read("u8.raw");
        Encoding.ASCII.GetBytes(mark).CopyTo(bytes, 0);

        Assert.Equal(DicomFault.NotDicom, Assert.Throws<DicomException>(() => DicomFile.Parse(bytes, "x.dcm")).Fault);
    }

    [Fact]
    public void Parse_PreambleIsTiff_IsRead()
    {
        var bytes = Corpus.Read("u8.raw");
        "II*\0"u8.CopyTo(bytes);

        Assert.Equal(24, DicomFile.Parse(bytes, "x.dcm").DataSet.WholeNumber(Tags.Rows));
    }

    [Fact]
    public void Parse_DeflateBomb_StopsAtTheLimitWithBoundedMemory()
    {
        var bomb = RawBytes.Part10("1.2.840.10008.1.2.1.99").Raw(Deflated(200 << 20)).ToArray();

        Assert.True(bomb.Length < 1 << 20);
        Assert.Equal(DicomFault.LimitExceeded, RefusedWithin(64 << 20, () => DicomFile.Parse(bomb, "x.dcm", new DicomLimits { MaxInflatedBytes = 8 << 20 })));
    }

    /// <summary>Each value is short enough to be kept; a file of gigabytes of them is not.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Parse_ManyValuesOfAllowedLength_StopsAtTheLimit(bool headerOnly)
    {
        var file = RawBytes.Part10(Explicit);
        for (ushort element = 0x1000; element < 0x1010; element++) file.ExplicitHeader(0x0009, element, "OB", 1000).Raw(new byte[1000]);
        using var folder = new TemporaryFolder();
        var path = folder["many.dcm"];
        File.WriteAllBytes(path, file.ToArray());
        var limits = new DicomLimits { MaxLoadedBytes = 10_000 };

        var error = Assert.Throws<DicomException>(() => headerOnly ? DicomFile.OpenHeader(path, limits) : DicomFile.Open(path, limits));
        Assert.Equal(DicomFault.LimitExceeded, error.Fault);
        Assert.Contains(nameof(DicomLimits.MaxLoadedBytes), error.Message);
    }

    [Fact]
    public void Read_FrameIsADeflateBomb_InflatesNoMoreThanTheFrame()
    {
        var bytes = RawBytes.Part10("1.2.840.10008.1.2.8.1");
        PixelDescription(bytes, 4, 4).ExplicitHeader(0x7FE0, 0x10, "OB", Undefined).Header(0xFFFE, 0xE000, 0);
        var bomb = Deflated(200 << 20);
        using var file = DicomFile.Parse(bytes.Header(0xFFFE, 0xE000, (uint)bomb.Length).Raw(bomb).Header(0xFFFE, 0xE0DD, 0).ToArray(), "x.dcm");
        var before = GC.GetAllocatedBytesForCurrentThread();

        new FrameReader(file).Read(0, new byte[16]);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("OB", 0xFFFFFFFEu)]
    [InlineData("OB", 0x80000000u)]
    [InlineData("SQ", 0xFFFFFFFEu)]
    [InlineData("UN", 0x7FFFFFFFu)]
    [InlineData("UT", 0xFFFFFFFEu)]
    public void Parse_LengthOverflow_TakesNoMemoryForIt(string vr, uint length) =>
        Assert.Equal(DicomFault.Malformed, RefusedWithin(1 << 20, () => DicomFile.Parse(RawBytes.Part10(Explicit).ExplicitHeader(9, 0x1001, vr, length).ToArray(), "x.dcm")));

    [Fact]
    public void Parse_FragmentLengthOverflow_TakesNoMemoryForIt()
    {
        var bytes = PixelDescription(RawBytes.Part10(Rle), 4, 4).ExplicitHeader(0x7FE0, 0x10, "OB", Undefined).Header(0xFFFE, 0xE000, 0).Header(0xFFFE, 0xE000, 0xFFFFFFFE).ToArray();

        Assert.Equal(DicomFault.Malformed, RefusedWithin(1 << 20, () => DicomFile.Parse(bytes, "x.dcm")));
    }

    [Fact]
    public void FrameReader_TwoToTheThirtyOneFrames_TakesNoMemoryForThem()
    {
        var bytes = PixelDescription(RawBytes.Part10(Explicit), 4, 4).Explicit(0x28, 8, "IS", "2147483647"u8).Explicit(0x7FE0, 0x10, "OB", new byte[16]).ToArray();
        using var file = DicomFile.Parse(bytes, "x.dcm");

        Assert.Equal(DicomFault.LimitExceeded, RefusedWithin(1 << 20, () => _ = new FrameReader(file)));
    }

    [Fact]
    public void FrameReader_LargestImageOfAllInAFewBytes_TakesNoMemoryForIt()
    {
        var bytes = PixelDescription(RawBytes.Part10(Rle), ushort.MaxValue, ushort.MaxValue).ExplicitHeader(0x7FE0, 0x10, "OB", Undefined)
            .Header(0xFFFE, 0xE000, 0).Header(0xFFFE, 0xE000, 64).Raw(new byte[64]).Header(0xFFFE, 0xE0DD, 0).ToArray();
        using var file = DicomFile.Parse(bytes, "x.dcm");

        Assert.Equal(DicomFault.LimitExceeded, RefusedWithin(1 << 20, () => _ = new FrameReader(file)));
    }

    [Fact]
    public void Parse_DeepNesting_StopsAtTheLimit()
    {
        var bytes = RawBytes.Part10(Explicit);
        for (var i = 0; i < 100_000; i++)
        {
            bytes.ExplicitHeader(8, 0x1115, "SQ", Undefined).Header(0xFFFE, 0xE000, Undefined);
        }

        var whole = bytes.ToArray();
        Assert.Equal(DicomFault.LimitExceeded, RefusedWithin(1 << 20, () => DicomFile.Parse(whole, "x.dcm")));
    }

    /// <summary>Inserted one by one into a sorted list, these would move some 200 GB of memory.</summary>
    [Fact]
    public void Parse_TagsInFallingOrder_TakesNoQuadraticTime()
    {
        var bytes = RawBytes.Part10("1.2.840.10008.1.2");
        for (var i = 200_000; i > 0; i--)
        {
            bytes.Header((ushort)(0x0100 + (i >> 16)), (ushort)i, 0);
        }

        var whole = bytes.ToArray();
        var watch = Stopwatch.StartNew();
        var set = DicomFile.Parse(whole, "x.dcm").DataSet;

        Assert.Equal(200_000, set.Count);
        Assert.True(set.Elements.Zip(set.Elements.Skip(1), (a, b) => a.Tag < b.Tag).All(isBefore => isBefore));
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Parse_TagTwice_KeepsTheFirst()
    {
        var bytes = RawBytes.Part10(Explicit).Explicit(0x28, 0x10, "US", [5, 0]).Explicit(8, 0x60, "CS", "MR"u8).Explicit(0x28, 0x10, "US", [9, 0]).ToArray();

        Assert.Equal(5, DicomFile.Parse(bytes, "x.dcm").DataSet.WholeNumber(Tags.Rows));
    }

    [Fact]
    public void Parse_LongerThanAllowed_StopsAtTheTimeLimit()
    {
        var bytes = RawBytes.Part10("1.2.840.10008.1.2");
        for (ushort i = 1; i < 20_000; i++)
        {
            bytes.Header(0x0101, i, 0);
        }

        var whole = bytes.ToArray();
        var clock = new SteppingClock(secondsPerLook: 1);

        Assert.Equal(DicomFault.LimitExceeded, RefusedWithin(4 << 20, () => DicomFile.Parse(whole, "x.dcm", new DicomLimits { Clock = clock, MaxParseTime = TimeSpan.FromSeconds(3) })));
    }

    [Theory]
    [InlineData("u8.rle")]
    [InlineData("u8.jpeg50")]
    [InlineData("u8.jpeg70")]
    [InlineData("u8.jpegls80")]
    [InlineData("u8.j2k90")]
    public void Read_LongerThanAllowed_StopsAtTheTimeLimit(string name)
    {
        var clock = new SteppingClock(secondsPerLook: 10);
        using var file = DicomFile.Parse(Corpus.Read(name), name, new DicomLimits { Clock = clock, MaxFrameTime = TimeSpan.FromSeconds(3) });
        var frames = new FrameReader(file);

        Assert.Equal(DicomFault.LimitExceeded, RefusedWithin(1 << 20, () => frames.Read(0, new byte[frames.Layout.FrameBytes])));
    }

    /// <summary>Found by the fuzz test: CharLS spun for eight seconds of processor time.</summary>
    [Fact]
    public void Read_CorruptJpegLsWithoutEndMarker_EndsAtOnce()
    {
        using var file = DicomFile.Open(Corpus.PathOf("findings/jpegls-without-end"));
        var frames = new FrameReader(file);
        var watch = Stopwatch.StartNew();

        Assert.Equal(DicomFault.Malformed, RefusedWithin(1 << 20, () => frames.Read(0, new byte[frames.Layout.FrameBytes])));
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(4));
    }

    [Fact]
    public void Open_LargePixelData_ReadsOnlyTheFrameThatIsAskedFor()
    {
        const int frameBytes = 1 << 20, frames = 64;
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, PixelDescription(RawBytes.Part10(Explicit), 1024, 1024).Explicit(0x28, 8, "IS", "64"u8)
            .ExplicitHeader(0x7FE0, 0x10, "OB", frameBytes * frames).ToArray());
        using (var stream = File.OpenWrite(path))
        {
            stream.SetLength(stream.Length + frameBytes * frames);
            stream.Position = stream.Length - 1;
            stream.WriteByte(7);
        }

        var buffer = new byte[frameBytes];
        var before = GC.GetAllocatedBytesForCurrentThread();
        using (var file = DicomFile.Open(path))
        {
            new FrameReader(file).Read(frames - 1, buffer);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, frameBytes / 4);
        Assert.Equal(7, buffer[^1]);
        File.Delete(path);
    }

    [Fact]
    public void Read_FileShrankAfterItWasOpened_IsMalformed()
    {
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, PixelDescription(RawBytes.Part10(Explicit), 512, 512).Explicit(0x7FE0, 0x10, "OB", new byte[512 * 512]).ToArray());
        using var file = DicomFile.Open(path);
        // FileShare.ReadWrite takes no lock, as a writer of another program takes none.
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.SetLength(1000);
        }

        Assert.Equal(DicomFault.Malformed, Assert.Throws<DicomException>(() => new FrameReader(file).Read(0, new byte[512 * 512])).Fault);
        File.Delete(path);
    }

    [Fact]
    public void OpenHeader_ValueLongerThanAllowed_LeavesItOut()
    {
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, RawBytes.Part10(Explicit).Explicit(9, 0x1001, "OB", new byte[100_000]).Explicit(0x28, 0x10, "US", [5, 0]).ToArray());

        var set = DicomFile.OpenHeader(path, new DicomLimits { MaxHeaderValueBytes = 90_000 }).DataSet;

        Assert.Null(set.Find(new DicomTag(9, 0x1001)));
        Assert.Equal(5, set.WholeNumber(Tags.Rows));
        File.Delete(path);
    }

    private static RawBytes PixelDescription(RawBytes bytes, ushort rows, ushort columns) => bytes
        .Explicit(0x28, 0x02, "US", [1, 0]).Explicit(0x28, 0x10, "US", BitConverter.GetBytes(rows)).Explicit(0x28, 0x11, "US", BitConverter.GetBytes(columns))
        .Explicit(0x28, 0x100, "US", [8, 0]).Explicit(0x28, 0x101, "US", [8, 0]).Explicit(0x28, 0x102, "US", [7, 0]).Explicit(0x28, 0x103, "US", [0, 0]);

    private static byte[] Deflated(int zeros)
    {
        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, CompressionLevel.Optimal, leaveOpen: true))
        {
            var chunk = new byte[1 << 20];
            for (var written = 0; written < zeros; written += chunk.Length)
            {
                deflate.Write(chunk);
            }
        }

        return deflated.ToArray();
    }

    private static DicomFault RefusedWithin(long bytes, Action action)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refusal = Assert.Throws<DicomException>(action);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, bytes);
        return refusal.Fault;
    }

    /// <summary>Time goes on whenever somebody looks.</summary>
    private sealed class SteppingClock(int secondsPerLook) : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds += secondsPerLook;
    }
}
