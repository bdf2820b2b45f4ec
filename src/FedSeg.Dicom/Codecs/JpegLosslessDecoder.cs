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

    public void Decode(ReadOnlyMemory<byte> encoded, PixelLayout layout, Span<byte> values, FrameContext context)
    {
        try
        {
            var stream = new JpegStream(encoded.Span, layout);
            for (var decoded = 0; decoded < layout.SamplesPerPixel;)
            {
                var scan = stream.ReadToScan(lossless: true);
                DecodeScan(ref stream, scan, layout, values, context);
                decoded += scan.Components.Length;
            }
        }
        catch (JpegFormatException broken)
        {
            throw new DicomException(DicomFault.Malformed, $"{context.Path}: JPEG lossless frame: {broken.Message}. The file is corrupt; fetch it again.", broken);
        }
    }

    private static void DecodeScan(ref JpegStream stream, JpegScan scan, PixelLayout layout, Span<byte> values, FrameContext context)
    {
        var (predictor, pointTransform) = (scan.Start, scan.Approximation & 15);
        if (predictor is < 1 or > 7 || pointTransform >= stream.Precision)
        {
            throw new JpegFormatException("the scan has an impossible predictor or point transform");
        }

        var components = Array.ConvertAll(scan.Components, component => new ScanComponent(component, layout));
        var start = 1 << (stream.Precision - pointTransform - 1);
        var bits = stream.Bits();
        var untilRestart = stream.RestartInterval;
        var resetRow = true;
        for (var y = 0; y < layout.Rows; y++)
        {
            context.Time.Check();
            for (var x = 0; x < layout.Columns; x++)
            {
                if (stream.RestartInterval > 0 && untilRestart-- == 0)
                {
                    if (x != 0)
                    {
                        throw new JpegFormatException("a restart interval does not end with a row");
                    }

                    bits.Restart();
                    untilRestart = stream.RestartInterval - 1;
                    resetRow = true;
                }

                foreach (var component in components)
                {
                    var prediction = component.Predict(x, resetRow, predictor, start);
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

        stream.Pass(bits);
    }

    /// <summary>The two rows that prediction looks at, and where the samples go.</summary>
    private sealed class ScanComponent
    {
        private readonly int _first;
        private readonly int _stride;
        private readonly int _columns;
        private readonly int _bytesPerValue;
        private ushort[] _above;
        private ushort[] _row;

        public ScanComponent(JpegScanComponent scan, PixelLayout layout)
        {
            if (scan.Component is not { Horizontal: 1, Vertical: 1 })
            {
                throw new JpegFormatException("subsampled components are not read");
            }

            Table = scan.Dc ?? throw new JpegFormatException("the scan names a missing Huffman table");
            _first = layout.FirstValueOf(scan.Component.Index);
            _stride = layout.ValueStride;
            _columns = layout.Columns;
            _bytesPerValue = layout.BytesPerValue;
            _above = new ushort[_columns];
            _row = new ushort[_columns];
        }

        public HuffmanTable Table { get; }

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
            if (_bytesPerValue == 1)
            {
                values[at] = (byte)value;
            }
            else
            {
                BinaryPrimitives.WriteUInt16LittleEndian(values[at..], value);
            }
        }

        public void NextRow() => (_above, _row) = (_row, _above);
    }
}
