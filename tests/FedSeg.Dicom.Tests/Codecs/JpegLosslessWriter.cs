namespace FedSeg.Dicom.Tests.Codecs;

/// <summary>A plain JPEG lossless encoder after ITU-T T.81 Annex H, for tests only: one Huffman table in which every category has a code of five bits.</summary>
internal sealed class JpegLosslessWriter
{
    private readonly List<byte> _bytes = [];
    private int _pending;
    private int _bits;

    /// <param name="samples">Samples by pixel, then component, already of <paramref name="precision"/> bits.</param>
    /// <param name="restartRows">A restart marker after so many rows; 0 for none.</param>
    public static byte[] Encode(int[] samples, int rows, int columns, int components, int precision, int predictor, int pointTransform, int restartRows)
    {
        var writer = new JpegLosslessWriter();
        writer._bytes.AddRange([0xFF, 0xD8, 0xFF, 0xC3, 0, (byte)(8 + 3 * components), (byte)precision, (byte)(rows >> 8), (byte)rows, (byte)(columns >> 8), (byte)columns, (byte)components]);
        for (var c = 0; c < components; c++)
        {
            writer._bytes.AddRange([(byte)(c + 1), 0x11, 0]);
        }

        writer._bytes.AddRange([0xFF, 0xC4, 0, 19 + 17, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        writer._bytes.AddRange(Enumerable.Range(0, 17).Select(category => (byte)category));
        if (restartRows > 0)
        {
            writer._bytes.AddRange([0xFF, 0xDD, 0, 4, (byte)(restartRows * columns >> 8), (byte)(restartRows * columns)]);
        }

        writer._bytes.AddRange([0xFF, 0xDA, 0, (byte)(6 + 2 * components), (byte)components]);
        for (var c = 0; c < components; c++)
        {
            writer._bytes.AddRange([(byte)(c + 1), 0]);
        }

        writer._bytes.AddRange([(byte)predictor, 0, (byte)pointTransform]);
        writer.Scan([.. samples.Select(sample => sample >> pointTransform)], rows, columns, components, 1 << (precision - pointTransform - 1), predictor, restartRows);
        writer._bytes.AddRange([0xFF, 0xD9]);
        return [.. writer._bytes];
    }

    private void Scan(int[] s, int rows, int columns, int components, int start, int predictor, int restartRows)
    {
        for (var y = 0; y < rows; y++)
        {
            var first = y == 0 || (restartRows > 0 && y % restartRows == 0);
            if (first && y > 0)
            {
                Flush();
                _bytes.AddRange([0xFF, (byte)(0xD0 + (y / restartRows - 1) % 8)]);
            }

            for (var x = 0; x < columns; x++)
            {
                for (var c = 0; c < components; c++)
                {
                    int At(int row, int column) => s[(row * columns + column) * components + c];
                    var prediction = first ? (x == 0 ? start : At(y, x - 1)) : x == 0 ? At(y - 1, 0) : predictor switch
                    {
                        1 => At(y, x - 1),
                        2 => At(y - 1, x),
                        3 => At(y - 1, x - 1),
                        4 => At(y, x - 1) + At(y - 1, x) - At(y - 1, x - 1),
                        5 => At(y, x - 1) + ((At(y - 1, x) - At(y - 1, x - 1)) >> 1),
                        6 => At(y - 1, x) + ((At(y, x - 1) - At(y - 1, x - 1)) >> 1),
                        _ => (At(y, x - 1) + At(y - 1, x)) >> 1,
                    };
                    Difference((short)(At(y, x) - prediction));
                }
            }
        }

        Flush();
    }

    private void Difference(int difference)
    {
        if (difference == -32768)
        {
            Put(16, 5);
            return;
        }

        var category = 32 - int.LeadingZeroCount(Math.Abs(difference));
        Put(category, 5);
        Put(difference < 0 ? difference + (1 << category) - 1 : difference, category);
    }

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
