using System.Buffers.Binary;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>
/// The markers of one JPEG image, ITU-T T.81 Annex B: reads tables and headers up to the next scan and checks the frame header against the DICOM header.
/// Application segments are passed over: in DICOM the header rules on colour, not JFIF or Adobe (PS3.5 §8.2.1).
/// </summary>
internal ref struct JpegStream
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly PixelLayout _layout;
    private readonly HuffmanTable?[] _dcTables = new HuffmanTable?[4];
    private readonly HuffmanTable?[] _acTables = new HuffmanTable?[4];
    private readonly ushort[]?[] _quantization = new ushort[]?[4];
    private JpegComponent[] _components = [];
    private int _position = 2;

    /// <exception cref="JpegFormatException">It is no JPEG stream.</exception>
    public JpegStream(ReadOnlySpan<byte> bytes, PixelLayout layout)
    {
        _bytes = bytes;
        _layout = layout;
        if (bytes.Length < 4 || bytes[0] != 0xFF || bytes[1] != 0xD8)
        {
            throw new JpegFormatException("it does not start with the SOI marker");
        }
    }

    /// <summary>Bits of a sample.</summary>
    public int Precision { get; private set; }

    /// <summary>MCUs between restart markers; 0 for none.</summary>
    public int RestartInterval { get; private set; }

    /// <summary>All components of the frame, in the order of its header.</summary>
    public readonly ReadOnlySpan<JpegComponent> Components => _components;

    /// <summary>The entropy-coded bits after the scan header that <see cref="ReadToScan"/> returned.</summary>
    public readonly JpegBitReader Bits() => new(_bytes[_position..]);

    /// <summary>Goes on behind a scan.</summary>
    public void Pass(JpegBitReader scan) => _position += scan.Position;

    /// <summary>Reads markers up to the next scan and returns its header.</summary>
    /// <param name="lossless">Process 14 (SOF3) is asked for, else sequential DCT (SOF0, SOF1).</param>
    /// <exception cref="JpegFormatException">Broken, another process, or not what the DICOM header says.</exception>
    public JpegScan ReadToScan(bool lossless)
    {
        while (true)
        {
            var marker = NextMarker();
            switch (marker)
            {
                case 0xC3 when lossless:
                case 0xC0 or 0xC1 when !lossless:
                    ReadFrameHeader(Segment(), lossless);
                    break;
                case 0xC4:
                    ReadHuffmanTables(Segment());
                    break;
                case 0xDB:
                    ReadQuantizationTables(Segment());
                    break;
                case 0xDD:
                    var interval = Segment();
                    RestartInterval = interval.Length == 2
                        ? BinaryPrimitives.ReadUInt16BigEndian(interval)
                        : throw new JpegFormatException("the restart interval has a wrong length");
                    break;
                case 0xDA:
                    return ReadScanHeader(Segment());
                case 0xD9:
                    throw new JpegFormatException("it ends before all components are there");
                case >= 0xC0 and <= 0xCF and not 0xC8 and not 0xCC:
                    throw new JpegFormatException($"the process of marker FF{marker:X2} is not the {(lossless ? "lossless" : "sequential")} Huffman one");
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

    private void ReadFrameHeader(ReadOnlySpan<byte> header, bool lossless)
    {
        if (_components.Length > 0 || header.Length < 6 || header.Length != 6 + 3 * header[5])
        {
            throw new JpegFormatException("the frame header has a wrong length or stands there twice");
        }

        Precision = header[0];
        var rows = BinaryPrimitives.ReadUInt16BigEndian(header[1..]);
        var columns = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
        if (rows != _layout.Rows || columns != _layout.Columns || header[5] != _layout.SamplesPerPixel
            || Precision > _layout.BitsAllocated || _layout.BytesPerValue > 2 || (lossless ? Precision is < 2 or > 16 : Precision is not (8 or 12)))
        {
            throw new JpegFormatException($"{columns}x{rows}x{header[5]} of {Precision} bits is not what the DICOM header says");
        }

        var components = new JpegComponent[header[5]];
        for (var i = 0; i < components.Length; i++)
        {
            // One component alone is never subsampled, whatever its factors say (T.81 §A.2.2).
            var factors = components.Length == 1 ? 0x11 : header[7 + 3 * i];
            components[i] = new JpegComponent(i, header[6 + 3 * i], factors >> 4, factors & 15, header[8 + 3 * i]);
            if (components[i].Horizontal is < 1 or > 4 || components[i].Vertical is < 1 or > 4 || components[i].Quantization > 3)
            {
                throw new JpegFormatException("a component has impossible sampling factors");
            }
        }

        _components = components;
    }

    private readonly void ReadHuffmanTables(ReadOnlySpan<byte> segment)
    {
        while (segment.Length > 0)
        {
            var used = segment.Length < 17 ? int.MaxValue : 17 + Sum(segment.Slice(1, 16));
            if (used > segment.Length || (segment[0] & 0xEC) != 0)
            {
                throw new JpegFormatException("a Huffman table is incomplete");
            }

            var isAc = segment[0] >> 4 == 1;
            (isAc ? _acTables : _dcTables)[segment[0] & 3] = new HuffmanTable(segment.Slice(1, 16), segment[17..used], isAc ? byte.MaxValue : (byte)16);
            segment = segment[used..];
        }
    }

    private readonly void ReadQuantizationTables(ReadOnlySpan<byte> segment)
    {
        while (segment.Length > 0)
        {
            var width = 1 + (segment[0] >> 4);
            if (width > 2 || (segment[0] & 15) > 3 || segment.Length < 1 + 64 * width)
            {
                throw new JpegFormatException("a quantization table is incomplete");
            }

            var table = new ushort[64];
            for (var i = 0; i < table.Length; i++)
            {
                table[i] = width == 1 ? segment[1 + i] : BinaryPrimitives.ReadUInt16BigEndian(segment[(1 + 2 * i)..]);
            }

            _quantization[segment[0] & 15] = table;
            segment = segment[(1 + 64 * width)..];
        }
    }

    private readonly JpegScan ReadScanHeader(ReadOnlySpan<byte> header)
    {
        if (_components.Length == 0 || header.Length < 1 || header[0] == 0 || header.Length != 4 + 2 * header[0] || header[0] > _components.Length)
        {
            throw new JpegFormatException("the scan header has a wrong length or stands before the frame header");
        }

        var members = new JpegScanComponent[header[0]];
        for (var i = 0; i < members.Length; i++)
        {
            var component = Array.Find(_components, HasId(header[1 + 2 * i])) ?? throw new JpegFormatException("the scan names an unknown component");
            members[i] = new JpegScanComponent(
                component,
                Table(_dcTables, header[2 + 2 * i] >> 4),
                Table(_acTables, header[2 + 2 * i] & 15),
                _quantization[component.Quantization]);
        }

        return new JpegScan(members, header[^3], header[^2], header[^1]);
    }

    private static Predicate<JpegComponent> HasId(byte id) => component => component.Id == id;

    private static HuffmanTable? Table(HuffmanTable?[] tables, int index) =>
        index < tables.Length ? tables[index] : throw new JpegFormatException("the scan names an impossible Huffman table");

    private static int Sum(ReadOnlySpan<byte> counts)
    {
        var sum = 0;
        foreach (var count in counts)
        {
            sum += count;
        }

        return sum;
    }
}

/// <summary>A component of the frame header, T.81 §B.2.2: its place, identifier, sampling factors and quantization table.</summary>
internal sealed record JpegComponent(int Index, byte Id, int Horizontal, int Vertical, byte Quantization);

/// <summary>A component of one scan with the tables that stood there; a table that is missing is a fault of whoever needs it.</summary>
internal sealed record JpegScanComponent(JpegComponent Component, HuffmanTable? Dc, HuffmanTable? Ac, ushort[]? Quantization);

/// <summary>A scan header, T.81 §B.2.3. The meaning of the three numbers depends on the process.</summary>
internal sealed record JpegScan(JpegScanComponent[] Components, byte Start, byte End, byte Approximation);
