namespace FedSeg.Dicom.Tests.Codecs;

/// <summary>
/// A plain sequential JPEG encoder after ITU-T T.81 Annex F, for tests only. It takes quantized coefficients, so that a test knows exactly what a decoder
/// must see; the Huffman codes are five bits for a DC category and eight for an AC symbol.
/// </summary>
internal sealed class JpegDctWriter
{
    private static readonly byte[] AcSymbols = [0x00, 0xF0, .. from run in Enumerable.Range(0, 16) from category in Enumerable.Range(1, 15) select (byte)(run << 4 | category)];

    private readonly List<byte> _bytes = [0xFF, 0xD8];
    private int _pending;
    private int _bits;

    /// <summary>One component: its sampling factors and blocks by MCU row, each of 64 quantized coefficients in zigzag order.</summary>
    public sealed record Component(int Horizontal, int Vertical, int[][] Blocks);

    /// <param name="components">Interleaved in one scan, the blocks of an MCU one after the other.</param>
    /// <param name="quantization">One step for all coefficients.</param>
    /// <param name="restartInterval">MCUs between restart markers; 0 for none.</param>
    public static byte[] Encode(int rows, int columns, int precision, int quantization, int restartInterval, params Component[] components)
    {
        var writer = new JpegDctWriter();
        writer.Segment(0xDB, [0, .. Enumerable.Repeat((byte)quantization, 64)]);
        writer.Segment(0xC1, [
            (byte)precision, (byte)(rows >> 8), (byte)rows, (byte)(columns >> 8), (byte)columns, (byte)components.Length,
            .. components.SelectMany((component, i) => new[] { (byte)i, (byte)(component.Horizontal << 4 | component.Vertical), (byte)0 })]);
        writer.Segment(0xC4, [0x00, 0, 0, 0, 0, 16, .. new byte[11], .. Enumerable.Range(0, 16).Select(category => (byte)category)]);
        writer.Segment(0xC4, [0x10, 0, 0, 0, 0, 0, 0, 0, (byte)AcSymbols.Length, .. new byte[8], .. AcSymbols]);
        writer.Segment(0xDD, [(byte)(restartInterval >> 8), (byte)restartInterval]);
        writer.Segment(0xDA, [(byte)components.Length, .. components.SelectMany((_, i) => new byte[] { (byte)i, 0 }), 0, 63, 0]);
        writer.Scan(components, restartInterval);
        writer._bytes.AddRange([0xFF, 0xD9]);
        return [.. writer._bytes];
    }

    private void Segment(byte marker, byte[] body) => _bytes.AddRange([0xFF, marker, (byte)(body.Length + 2 >> 8), (byte)(body.Length + 2), .. body]);

    private void Scan(Component[] components, int restartInterval)
    {
        var predictions = new int[components.Length];
        var isLone = components.Length == 1;
        int PerMcu(Component component) => isLone ? 1 : component.Horizontal * component.Vertical;
        var mcus = components[0].Blocks.Length / PerMcu(components[0]);
        for (var mcu = 0; mcu < mcus; mcu++)
        {
            if (restartInterval > 0 && mcu > 0 && mcu % restartInterval == 0)
            {
                Flush();
                _bytes.AddRange([0xFF, (byte)(0xD0 + (mcu / restartInterval - 1) % 8)]);
                Array.Clear(predictions);
            }

            for (var c = 0; c < components.Length; c++)
            {
                for (var block = 0; block < PerMcu(components[c]); block++)
                {
                    Block(components[c].Blocks[mcu * PerMcu(components[c]) + block], ref predictions[c]);
                }
            }
        }

        Flush();
    }

    private void Block(int[] zigzag, ref int prediction)
    {
        var difference = zigzag[0] - prediction;
        prediction = zigzag[0];
        Put(CategoryOf(difference), 5);
        PutSigned(difference);
        var zeros = 0;
        for (var k = 1; k < 64; k++)
        {
            if (zigzag[k] == 0)
            {
                zeros++;
                continue;
            }

            for (; zeros > 15; zeros -= 16)
            {
                Put(1, 8);
            }

            Put(Array.IndexOf(AcSymbols, (byte)(zeros << 4 | CategoryOf(zigzag[k]))), 8);
            PutSigned(zigzag[k]);
            zeros = 0;
        }

        if (zeros > 0)
        {
            Put(0, 8);
        }
    }

    private static int CategoryOf(int value) => 32 - int.LeadingZeroCount(Math.Abs(value));

    private void PutSigned(int value) => Put(value < 0 ? value + (1 << CategoryOf(value)) - 1 : value, CategoryOf(value));

    private void Put(int value, int count)
    {
        for (var bit = count - 1; bit >= 0; bit--)
        {
            _pending = _pending << 1 | (value >> bit & 1);
            if (++_bits == 8)
            {
                _bytes.Add((byte)_pending);
                if ((byte)_pending == 0xFF)
                {
                    _bytes.Add(0);
                }

                (_pending, _bits) = (0, 0);
            }
        }
    }

    private void Flush()
    {
        while (_bits != 0)
        {
            Put(1, 1);
        }
    }
}
