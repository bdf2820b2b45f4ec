namespace FedSeg.Dicom.Codecs;

/// <summary>
/// Decodes one component's blocks: Huffman symbols (ITU-T T.81 §F.2.2), dequantization and the inverse DCT after Loeffler, Ligtenberg and Moschytz (ICASSP 1989)
/// in integers of 13 fraction bits. <c>JpegDctDecoderTests</c> holds it against the double-precision formula of §A.3.3.
/// </summary>
internal sealed class JpegBlockReader
{
    private const int FractionBits = 13;

    private static ReadOnlySpan<byte> ZigZag =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    private readonly HuffmanTable _dc;
    private readonly HuffmanTable _ac;
    private readonly ushort[] _quantization;
    private readonly int[] _block = new int[64];
    private readonly int _firstPassBits;
    private readonly int _middle;
    private int _dcPrediction;

    /// <exception cref="JpegFormatException">A table is missing.</exception>
    public JpegBlockReader(JpegScanComponent scan, int precision)
    {
        _dc = scan.Dc ?? throw new JpegFormatException("the scan names a missing Huffman table");
        _ac = scan.Ac ?? throw new JpegFormatException("the scan names a missing Huffman table");
        _quantization = scan.Quantization ?? throw new JpegFormatException("a quantization table is missing");
        // Bits that the column pass leaves to the row pass; with 12-bit samples 32-bit integers have room for one only.
        _firstPassBits = precision == 8 ? 2 : 1;
        _middle = 1 << (precision - 1);
    }

    /// <summary>Forgets the DC prediction, as at a restart marker.</summary>
    public void Reset() => _dcPrediction = 0;

    /// <summary>Reads the next block into 8 rows of 8 samples, <paramref name="stride"/> apart.</summary>
    /// <exception cref="JpegFormatException">The bits are corrupt or end too soon.</exception>
    public void Read(ref JpegBitReader bits, Span<ushort> samples, int stride)
    {
        var block = _block.AsSpan();
        block.Clear();
        _dcPrediction += _dc.ReadDifference(ref bits);
        block[0] = _dcPrediction * _quantization[0];
        var last = 0;
        for (var k = 1; k < 64; k++)
        {
            var symbol = _ac.ReadSymbol(ref bits);
            var (zeros, category) = (symbol >> 4, symbol & 15);
            if (category == 0)
            {
                if (zeros < 15)
                {
                    break;
                }

                k += 15;
                continue;
            }

            k += zeros;
            if (k > 63)
            {
                throw new JpegFormatException("a block has more than 64 coefficients");
            }

            block[ZigZag[k]] = HuffmanTable.ReadSigned(ref bits, category) * _quantization[k];
            last = k;
        }

        if (last == 0)
        {
            Fill(samples, stride, block[0]);
            return;
        }

        for (var column = 0; column < 8; column++)
        {
            Transform(block[column..], 8, FractionBits - _firstPassBits);
        }

        for (var row = 0; row < 8; row++)
        {
            var line = block.Slice(8 * row, 8);
            Transform(line, 1, FractionBits + _firstPassBits + 3);
            var target = samples.Slice(row * stride, 8);
            for (var i = 0; i < 8; i++)
            {
                target[i] = Clamped(line[i]);
            }
        }
    }

    /// <summary>A block without AC is flat; both passes reduce to this.</summary>
    private void Fill(Span<ushort> samples, int stride, int dc)
    {
        var sample = Clamped(((dc << _firstPassBits) + (1 << (_firstPassBits + 2))) >> (_firstPassBits + 3));
        for (var row = 0; row < 8; row++)
        {
            samples.Slice(row * stride, 8).Fill(sample);
        }
    }

    private ushort Clamped(int value) => (ushort)Math.Clamp(value + _middle, 0, 2 * _middle - 1);

    /// <summary>One eight-point inverse DCT in place, scaled by sqrt(8); results are rounded by <paramref name="shift"/> bits.</summary>
    private static void Transform(Span<int> line, int step, int shift)
    {
        const int C0298 = 2446, C0390 = 3196, C0541 = 4433, C0765 = 6270, C0899 = 7373, C1175 = 9633;
        const int C1501 = 12299, C1847 = 15137, C1961 = 16069, C2053 = 16819, C2562 = 20995, C3072 = 25172;

        int even2 = line[2 * step], even6 = line[6 * step];
        var rotated = (even2 + even6) * C0541;
        var b2 = rotated - even6 * C1847;
        var b3 = rotated + even2 * C0765;
        var b0 = (line[0] + line[4 * step]) << FractionBits;
        var b1 = (line[0] - line[4 * step]) << FractionBits;
        int e0 = b0 + b3, e3 = b0 - b3, e1 = b1 + b2, e2 = b1 - b2;

        int o7 = line[7 * step], o5 = line[5 * step], o3 = line[3 * step], o1 = line[step];
        int z1 = (o7 + o1) * -C0899, z2 = (o5 + o3) * -C2562, z5 = (o7 + o3 + o5 + o1) * C1175;
        int z3 = (o7 + o3) * -C1961 + z5, z4 = (o5 + o1) * -C0390 + z5;
        var t0 = o7 * C0298 + z1 + z3;
        var t1 = o5 * C2053 + z2 + z4;
        var t2 = o3 * C3072 + z2 + z3;
        var t3 = o1 * C1501 + z1 + z4;

        var half = 1 << (shift - 1);
        line[0] = (e0 + t3 + half) >> shift;
        line[7 * step] = (e0 - t3 + half) >> shift;
        line[step] = (e1 + t2 + half) >> shift;
        line[6 * step] = (e1 - t2 + half) >> shift;
        line[2 * step] = (e2 + t1 + half) >> shift;
        line[5 * step] = (e2 - t1 + half) >> shift;
        line[3 * step] = (e3 + t0 + half) >> shift;
        line[4 * step] = (e3 - t0 + half) >> shift;
    }
}
