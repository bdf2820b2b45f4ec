using FedSeg.Dicom.Codecs;

namespace FedSeg.Dicom.Tests.Codecs;

public sealed class JpegDctDecoderTests
{
    private static readonly int[] ZigZagToNatural = ZigZagOrder();

    /// <summary>ITU-T T.83 asks for the samples of a double-precision inverse DCT (T.81 §A.3.3) within 1.</summary>
    [Theory]
    [InlineData(8, 0)]
    [InlineData(8, 2)]
    [InlineData(12, 0)]
    [InlineData(12, 3)]
    public void Decode_RandomCoefficients_IsTheInverseDctWithinOne(int precision, int restartInterval)
    {
        const int rows = 20, columns = 28, quantization = 3;
        var blocks = Blocks(3 * 4, precision);
        var encoded = JpegDctWriter.Encode(rows, columns, precision, quantization, restartInterval, new JpegDctWriter.Component(1, 1, blocks));

        var decoded = TestFrame.Decode(JpegDctDecoder.Instance, encoded, TestFrame.Layout(rows, columns, precision));

        for (var y = 0; y < rows; y++)
        {
            for (var x = 0; x < columns; x++)
            {
                var expected = InverseDct(blocks[y / 8 * 4 + x / 8], quantization, precision, y % 8, x % 8);
                Assert.InRange(decoded[y * columns + x] - expected, -1, 1);
            }
        }
    }

    /// <summary>JPEG has at most 16 bits; two more bytes of each value would be left as the buffer was.</summary>
    [Fact]
    public void Decode_FourBytesAValue_IsMalformed()
    {
        var layout = TestFrame.Layout(8, 8, 12) with { BitsAllocated = 32 };

        Assert.Equal(
            DicomFault.Malformed,
            Assert.Throws<DicomException>(() => TestFrame.Decode(JpegDctDecoder.Instance, JpegDctWriter.Encode(8, 8, 12, 1, 0, Flat(1, 1, 10)), layout)).Fault);
    }

    [Fact]
    public void Decode_ThreeComponents_GivesThemAsCodedWithoutColourTransform()
    {
        var decoded = TestFrame.Decode(
            JpegDctDecoder.Instance,
            JpegDctWriter.Encode(8, 8, 8, 1, 0, Flat(1, 1, 10), Flat(1, 1, 100), Flat(1, 1, 200)),
            TestFrame.Layout(8, 8, 8, samples: 3));

        Assert.All(decoded.Chunk(3), pixel => Assert.Equal([10, 100, 200], pixel));
    }

    /// <summary>Chroma of half width: each new sample is three parts the nearer and one part the farther one. 40 and 80 side by side, by hand.</summary>
    [Fact]
    public void Decode_HalfWidthChroma_IsInterpolatedLinearly()
    {
        var luma = new JpegDctWriter.Component(2, 1, [.. Enumerable.Repeat(FlatBlock(50), 4)]);
        var chroma = new JpegDctWriter.Component(1, 1, [FlatBlock(40), FlatBlock(80)]);
        var decoded = TestFrame.Decode(JpegDctDecoder.Instance, JpegDctWriter.Encode(8, 32, 8, 1, 0, luma, chroma, chroma), TestFrame.Layout(8, 32, 8, samples: 3));

        Assert.Equal([40, 40, 50, 70, 80, 80], decoded.Take(32 * 3).Where((_, i) => i % 3 == 1).Skip(13).Take(6));
        Assert.All(decoded.Where((_, i) => i % 3 == 0), sample => Assert.Equal(50, sample));
    }

    [Fact]
    public void Decode_QuarterWidthChroma_IsRepeated()
    {
        var luma = new JpegDctWriter.Component(4, 1, [.. Enumerable.Repeat(FlatBlock(50), 4)]);
        var ramp = FlatBlock(128);
        ramp[1] = 200;
        var decoded = TestFrame.Decode(
            JpegDctDecoder.Instance,
            JpegDctWriter.Encode(8, 32, 8, 1, 0, luma, new JpegDctWriter.Component(1, 1, [ramp]), Flat(1, 1, 9)),
            TestFrame.Layout(8, 32, 8, samples: 3));

        var row = decoded.Take(32 * 3).Where((_, i) => i % 3 == 1).ToArray();
        Assert.Equal(8, row.Distinct().Count());
        Assert.All(row.Chunk(4), samples => Assert.Single(samples.Distinct()));
    }

    [Fact]
    public void Decode_TruncatedAtEveryByte_IsMalformed()
    {
        var encoded = JpegDctWriter.Encode(16, 16, 8, 3, 2, new JpegDctWriter.Component(1, 1, Blocks(4, 8)));
        for (var length = 0; length < encoded.Length - 2; length++)
        {
            Assert.Equal(DicomFault.Malformed, Refused(encoded[..length]).Fault);
        }
    }

    [Fact]
    public void Decode_EveryByteDamaged_EndsInDicomExceptionOrPixels()
    {
        var encoded = JpegDctWriter.Encode(16, 16, 8, 3, 2, new JpegDctWriter.Component(1, 1, Blocks(4, 8)));
        for (var i = 0; i < encoded.Length * 16; i++)
        {
            var damaged = encoded.ToArray();
            damaged[i / 16] ^= (byte)(i % 16 * 17 + 1);
            try
            {
                TestFrame.Decode(JpegDctDecoder.Instance, damaged, TestFrame.Layout(16, 16, 8));
            }
            catch (DicomException)
            {
                // The one failure that bytes may cause.
            }
        }
    }

    [Fact]
    public void Decode_ProgressiveProcess_IsRefusedByName()
    {
        var encoded = JpegDctWriter.Encode(16, 16, 8, 3, 0, new JpegDctWriter.Component(1, 1, Blocks(4, 8)));
        encoded[encoded.AsSpan().IndexOf<byte>([0xFF, 0xC1]) + 1] = 0xC2;

        Assert.Contains("FFC2", Refused(encoded).Message, StringComparison.Ordinal);
    }

    private static DicomException Refused(byte[] encoded) =>
        Assert.Throws<DicomException>(() => TestFrame.Decode(JpegDctDecoder.Instance, encoded, TestFrame.Layout(16, 16, 8)));

    private static JpegDctWriter.Component Flat(int horizontal, int vertical, int sample) => new(horizontal, vertical, [FlatBlock(sample)]);

    /// <summary>The DC coefficient is eight times the mean, counted from the middle of the range.</summary>
    private static int[] FlatBlock(int sample)
    {
        var block = new int[64];
        block[0] = 8 * (sample - 128);
        return block;
    }

    private static int[][] Blocks(int count, int precision)
    {
        var state = 4711u;
        int Next(int range)
        {
            state = state * 1664525 + 1013904223;
            return (int)(state >> 8) % (2 * range + 1) - range;
        }

        var largest = 1 << (precision - 4);
        return [.. Enumerable.Range(0, count).Select(_ => (int[])[Next(8 * largest), .. Enumerable.Range(1, 63).Select(k => k % 5 == 0 || k > 50 ? 0 : Next(largest / k + 1))])];
    }

    private static int InverseDct(int[] zigzag, int quantization, int precision, int y, int x)
    {
        double sum = 0;
        for (var k = 0; k < 64; k++)
        {
            int v = ZigZagToNatural[k] / 8, u = ZigZagToNatural[k] % 8;
            var scale = (u == 0 ? Math.Sqrt(0.5) : 1) * (v == 0 ? Math.Sqrt(0.5) : 1) / 4;
            sum += scale * zigzag[k] * quantization * Math.Cos((2 * x + 1) * u * Math.PI / 16) * Math.Cos((2 * y + 1) * v * Math.PI / 16);
        }

        return (int)Math.Clamp(Math.Round(sum) + (1 << (precision - 1)), 0, (1 << precision) - 1);
    }

    /// <summary>T.81 figure 5: along the anti-diagonals, up and down in turn.</summary>
    private static int[] ZigZagOrder() =>
        [.. Enumerable.Range(0, 64).OrderBy(i => i / 8 + i % 8).ThenBy(i => (i / 8 + i % 8) % 2 == 0 ? i % 8 : i / 8)];
}
