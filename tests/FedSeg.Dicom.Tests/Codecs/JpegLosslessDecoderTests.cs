using FedSeg.Dicom.Codecs;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Tests.Codecs;

public sealed class JpegLosslessDecoderTests
{
    private const int Rows = 9, Columns = 7;

    public static TheoryData<int, int, int, int> Kinds
    {
        get
        {
            var kinds = new TheoryData<int, int, int, int>();
            foreach (var predictor in Enumerable.Range(1, 7))
            {
                foreach (var precision in new[] { 2, 8, 12, 16 })
                {
                    kinds.Add(predictor, precision, 1, 0);
                }
            }

            kinds.Add(1, 16, 1, 3);
            kinds.Add(5, 12, 1, 2);
            kinds.Add(7, 8, 3, 0);
            kinds.Add(4, 8, 3, 4);
            return kinds;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Decode_AnyPredictorPrecisionAndRestart_GivesTheSamplesBack(int predictor, int precision, int components, int restartRows)
    {
        var samples = Samples(precision, components);
        var encoded = JpegLosslessWriter.Encode(samples, Rows, Columns, components, precision, predictor, 0, restartRows);

        Assert.Equal(samples, Decode(encoded, precision, components));
    }

    [Fact]
    public void Decode_PointTransform_ShiftsTheSamplesBack()
    {
        var samples = Samples(12, 1);
        var encoded = JpegLosslessWriter.Encode(samples, Rows, Columns, 1, 12, 6, 3, 0);

        Assert.Equal(samples.Select(sample => sample >> 3 << 3), Decode(encoded, 12, 1));
    }

    [Fact]
    public void Decode_TruncatedAtEveryByte_EndsInDicomExceptionOrPixels()
    {
        var encoded = JpegLosslessWriter.Encode(Samples(12, 1), Rows, Columns, 1, 12, 1, 0, 2);
        for (var length = 0; length < encoded.Length - 2; length++)
        {
            Assert.Throws<DicomException>(() => Decode(encoded[..length], 12, 1));
        }
    }

    [Fact]
    public void Decode_EveryByteDamaged_EndsInDicomExceptionOrPixels()
    {
        var encoded = JpegLosslessWriter.Encode(Samples(12, 1), Rows, Columns, 1, 12, 1, 0, 2);
        for (var i = 0; i < encoded.Length * 256; i++)
        {
            var damaged = encoded.ToArray();
            damaged[i / 256] = (byte)i;
            try
            {
                Decode(damaged, 12, 1);
            }
            catch (DicomException)
            {
                // The one failure that bytes may cause.
            }
        }
    }

    [Fact]
    public void Decode_OtherSizeThanTheHeaderSays_IsMalformed()
    {
        var encoded = JpegLosslessWriter.Encode(Samples(8, 1), Rows, Columns, 1, 8, 1, 0, 0);
        var wider = Layout(8, 1) with { Columns = Columns + 1 };

        var refusal = Assert.Throws<DicomException>(() => JpegLosslessDecoder.Instance.Decode(encoded, wider, new byte[wider.FrameBytes], TestFrame.Context));

        Assert.Equal(DicomFault.Malformed, refusal.Fault);
    }

    private static int[] Samples(int precision, int components)
    {
        // Extremes beside each other, so that every category of difference appears; a linear congruence is chance enough.
        var state = 12345u;
        return [.. Enumerable.Range(0, Rows * Columns * components).Select(i =>
        {
            state = state * 1664525 + 1013904223;
            var top = (1 << precision) - 1;
            return (i % 5) switch { 0 => 0, 1 => top, 2 => 1 << (precision - 1), _ => (int)(state >> 8) & top };
        })];
    }

    private static int[] Decode(byte[] encoded, int precision, int components)
    {
        var layout = Layout(precision, components);
        var values = new byte[layout.FrameBytes];
        JpegLosslessDecoder.Instance.Decode(encoded, layout, values, TestFrame.Context);
        return [.. Enumerable.Range(0, layout.ValuesPerFrame).Select(i => layout.BytesPerValue == 1 ? values[i] : BitConverter.ToUInt16(values, 2 * i))];
    }

    private static PixelLayout Layout(int precision, int components) => new()
    {
        Rows = Rows,
        Columns = Columns,
        Frames = 1,
        SamplesPerPixel = components,
        BitsAllocated = precision > 8 ? 16 : 8,
        BitsStored = precision,
        HighBit = precision - 1,
        IsSigned = false,
        Photometric = "MONOCHROME2",
        IsPlanar = false,
    };
}
