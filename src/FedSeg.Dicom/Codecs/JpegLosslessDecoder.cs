using System.Buffers.Binary;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>
/// JPEG lossless, Huffman coded, processes 14 (ITU-T T.81 Annex H): predictors 1 to 7, 2 to 16 bits, point transform, restart intervals, one or
/// more scans. Components are never subsampled in DICOM; where they are, the frame is refused.
/// </summary>
internal sealed class JpegLosslessDecoder : IFrameDecoder
{
    public static JpegLosslessDecoder Instance { get; } = new();

    public void Decode(ReadOnlyMemory<byte> encoded, PixelLayout layout, Span<byte> values, string path)
    {
        try
        {
            new Frame(encoded.Span, layout).Decode(values);
        }
        catch (JpegFormatException broken)
        {
            throw new DicomException(DicomFault.Malformed, $"{path}: JPEG lossless frame: {broken.Message}. The file is corrupt; fetch it again.", broken);
        }
    }

    private ref struct Frame(ReadOnlySpan<byte> bytes, PixelLayout layout)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private readonly HuffmanTable?[] _tables = new HuffmanTable?[4];
        private byte[] _componentIds = [];
        private int _precision;
        private int _restartInterval;
        private int _position;

        public void Decode(Span<byte> values)
        {
            if (_bytes.Length < 4 || _bytes[0] != 0xFF || _bytes[1] != 0xD8)
            {
                throw new JpegFormatException("it does not start with the SOI marker");
            }

            _position = 2;
            for (var decoded = 0; decoded < layout.SamplesPerPixel;)
            {
                var marker = NextMarker();
                switch (marker)
                {
                    case 0xC3:
                        ReadFrameHeader(Segment());
                        break;
                    case 0xC4:
                        ReadHuffmanTables(Segment());
                        break;
                    case 0xDD:
                        var interval = Segment();
                        _restartInterval = interval.Length == 2
                            ? BinaryPrimitives.ReadUInt16BigEndian(interval)
                            : throw new JpegFormatException("the restart interval has a wrong length");
                        break;
                    case 0xDA:
                        decoded += DecodeScan(Segment(), values);
                        break;
                    case 0xD9:
                        throw new JpegFormatException("it ends before all components are there");
                    case >= 0xC0 and <= 0xCF and not 0xC8 and not 0xCC:
                        throw new JpegFormatException($"the process of marker FF{marker:X2} is not lossless Huffman");
                    default:
                        Segment();
                        break;
                }
            }
        }

        private byte NextMarker()
        {
            while (_position + 1 < _bytes.Length)
            {
                if (_bytes[_position] == 0xFF && _bytes[_position + 1] is not (0x00 or 0xFF or (>= 0xD0 and <= 0xD7)))
                {
                    _position += 2;
                    return _bytes[_position - 1];
                }

                _position++;
            }

            throw new JpegFormatException("it ends before the image does");
        }

        private ReadOnlySpan<byte> Segment()
        {
            var length = _position + 2 <= _bytes.Length ? BinaryPrimitives.ReadUInt16BigEndian(_bytes[_position..]) : 0;
            if (length < 2 || _position + length > _bytes.Length)
            {
                throw new JpegFormatException($"the segment at byte {_position} runs past the end");
            }

            var segment = _bytes.Slice(_position + 2, length - 2);
            _position += length;
            return segment;
        }

        private void ReadFrameHeader(ReadOnlySpan<byte> header)
        {
            if (header.Length < 6 || header.Length != 6 + 3 * header[5])
            {
                throw new JpegFormatException("the frame header has a wrong length");
            }

            _precision = header[0];
            var rows = BinaryPrimitives.ReadUInt16BigEndian(header[1..]);
            var columns = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
            if (rows != layout.Rows || columns != layout.Columns || header[5] != layout.SamplesPerPixel || _precision is < 2 or > 16
                || _precision > layout.BitsAllocated)
            {
                throw new JpegFormatException($"{columns}x{rows}x{header[5]} of {_precision} bits is not what the DICOM header says");
            }

            _componentIds = new byte[header[5]];
            for (var i = 0; i < _componentIds.Length; i++)
            {
                _componentIds[i] = header[6 + 3 * i];
                if (header[7 + 3 * i] != 0x11 && _componentIds.Length > 1)
                {
                    throw new JpegFormatException("subsampled components are not read");
                }
            }
        }

        private readonly void ReadHuffmanTables(ReadOnlySpan<byte> segment)
        {
            while (segment.Length > 0)
            {
                var used = segment.Length < 17 ? int.MaxValue : 17 + Sum(segment.Slice(1, 16));
                if (used > segment.Length || segment[0] > 3)
                {
                    throw new JpegFormatException("a Huffman table is incomplete");
                }

                _tables[segment[0]] = new HuffmanTable(segment.Slice(1, 16), segment[17..used]);
                segment = segment[used..];
            }
        }

        private static int Sum(ReadOnlySpan<byte> counts)
        {
            var sum = 0;
            foreach (var count in counts)
            {
                sum += count;
            }

            return sum;
        }

        /// <summary>Decodes one scan and returns how many components it held.</summary>
        private int DecodeScan(ReadOnlySpan<byte> header, Span<byte> values)
        {
            if (_componentIds.Length == 0 || header.Length < 1 || header[0] == 0 || header.Length != 4 + 2 * header[0] || header[0] > _componentIds.Length)
            {
                throw new JpegFormatException("the scan header has a wrong length or stands before the frame header");
            }

            var count = header[0];
            var predictor = header[1 + 2 * count];
            var pointTransform = header[3 + 2 * count] & 15;
            if (predictor is < 1 or > 7 || pointTransform >= _precision)
            {
                throw new JpegFormatException($"predictor {predictor} with point transform {pointTransform} does not exist");
            }

            var components = new ScanComponent[count];
            for (var i = 0; i < count; i++)
            {
                var index = Array.IndexOf(_componentIds, header[1 + 2 * i]);
                var table = header[2 + 2 * i] >> 4;
                components[i] = new ScanComponent(
                    index >= 0 ? index : throw new JpegFormatException("the scan names an unknown component"),
                    table < 4 ? _tables[table] ?? throw new JpegFormatException("the scan names a missing Huffman table") : throw new JpegFormatException("the scan names a missing Huffman table"),
                    layout);
            }

            var bits = new JpegBitReader(_bytes[_position..]);
            var untilRestart = _restartInterval;
            var resetRow = true;
            for (var y = 0; y < layout.Rows; y++)
            {
                for (var x = 0; x < layout.Columns; x++)
                {
                    if (_restartInterval > 0 && untilRestart-- == 0)
                    {
                        if (x != 0)
                        {
                            throw new JpegFormatException("a restart interval does not end with a row");
                        }

                        bits.Restart();
                        untilRestart = _restartInterval - 1;
                        resetRow = true;
                    }

                    foreach (var component in components)
                    {
                        var prediction = component.Predict(x, resetRow, predictor, 1 << (_precision - pointTransform - 1));
                        var sample = (ushort)(prediction + component.Table.ReadDifference(ref bits));
                        component.Store(values, x, y, sample, pointTransform);
                    }
                }

                resetRow = false;
                foreach (var component in components)
                {
                    component.NextRow();
                }
            }

            _position += bits.Position;
            return count;
        }
    }

    /// <summary>The two rows that prediction looks at, and where the samples go.</summary>
    private sealed class ScanComponent(int index, HuffmanTable table, PixelLayout layout)
    {
        private readonly int _first = layout.IsPlanar ? index * layout.Rows * layout.Columns : index;
        private readonly int _stride = layout.IsPlanar ? 1 : layout.SamplesPerPixel;
        private readonly int _columns = layout.Columns;
        private readonly bool _wide = layout.BytesPerValue > 1;
        private readonly int _bytesPerValue = layout.BytesPerValue;
        private ushort[] _above = new ushort[layout.Columns];
        private ushort[] _row = new ushort[layout.Columns];

        public HuffmanTable Table { get; } = table;

        /// <summary>Table H.1 with the rules of §H.1.2.1 for the first row and the first column.</summary>
        public int Predict(int x, bool firstRow, int predictor, int start)
        {
            if (firstRow)
            {
                return x == 0 ? start : _row[x - 1];
            }

            if (x == 0)
            {
                return _above[0];
            }

            int a = _row[x - 1], b = _above[x], c = _above[x - 1];
            return predictor switch
            {
                1 => a,
                2 => b,
                3 => c,
                4 => a + b - c,
                5 => a + ((b - c) >> 1),
                6 => b + ((a - c) >> 1),
                _ => (a + b) >> 1,
            };
        }

        public void Store(Span<byte> values, int x, int y, ushort sample, int pointTransform)
        {
            _row[x] = sample;
            var at = (_first + (y * _columns + x) * _stride) * _bytesPerValue;
            var value = (ushort)(sample << pointTransform);
            if (_wide)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(values[at..], value);
            }
            else
            {
                values[at] = (byte)value;
            }
        }

        public void NextRow() => (_above, _row) = (_row, _above);
    }
}
