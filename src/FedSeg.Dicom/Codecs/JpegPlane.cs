using System.Buffers;
using System.Buffers.Binary;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>
/// One component's decoded samples at its own resolution, padded to whole MCUs, and the way to the image's resolution: chroma of half resolution is
/// interpolated linearly ("fancy upsampling" of the Independent JPEG Group's library), of any other ratio repeated.
/// </summary>
internal sealed class JpegPlane
{
    private const int BlockSize = 8;

    private readonly int _index;
    private readonly int _width;
    private readonly int _height;
    private readonly int _horizontalRatio;
    private readonly int _verticalRatio;
    private ushort[] _samples;

    /// <exception cref="JpegFormatException">The sampling factors are no whole parts of the largest ones.</exception>
    public JpegPlane(JpegComponent component, ReadOnlySpan<JpegComponent> all, PixelLayout layout)
    {
        var (widest, highest) = LargestFactors(all);
        if (widest % component.Horizontal != 0 || highest % component.Vertical != 0)
        {
            throw new JpegFormatException("a component's sampling factors are no whole parts of the largest ones");
        }

        (_index, Horizontal, Vertical) = (component.Index, component.Horizontal, component.Vertical);
        (_horizontalRatio, _verticalRatio) = (widest / Horizontal, highest / Vertical);
        _width = CeilingOf(layout.Columns * Horizontal, widest);
        _height = CeilingOf(layout.Rows * Vertical, highest);
        Stride = McusAcross(all, layout) * Horizontal * BlockSize;
        _samples = ArrayPool<ushort>.Shared.Rent(Stride * McusDown(all, layout) * Vertical * BlockSize);
    }

    /// <summary>Blocks of one MCU side by side.</summary>
    public int Horizontal { get; }

    /// <summary>Blocks of one MCU one below the other.</summary>
    public int Vertical { get; }

    /// <summary>Samples from one row to the next.</summary>
    public int Stride { get; }

    /// <summary>Blocks that a scan of this component alone has.</summary>
    public int BlocksAcross => CeilingOf(_width, BlockSize);

    public int BlocksDown => CeilingOf(_height, BlockSize);

    public static int McusAcross(ReadOnlySpan<JpegComponent> all, PixelLayout layout) => CeilingOf(layout.Columns, LargestFactors(all).Widest * BlockSize);

    public static int McusDown(ReadOnlySpan<JpegComponent> all, PixelLayout layout) => CeilingOf(layout.Rows, LargestFactors(all).Highest * BlockSize);

    /// <summary>The samples from the first one of a block on.</summary>
    public Span<ushort> Block(int x, int y) => _samples.AsSpan((y * Stride + x) * BlockSize);

    /// <summary>Writes this component's samples of the whole image.</summary>
    public void Upsample(PixelLayout layout, Span<byte> values, FrameContext context)
    {
        var line = ArrayPool<int>.Shared.Rent(_width);
        var row = ArrayPool<ushort>.Shared.Rent(_width * _horizontalRatio);
        try
        {
            for (var y = 0; y < layout.Rows; y++)
            {
                context.Time.Check();
                UpsampleRow(y, line.AsSpan(0, _width), row);
                Store(row, y, layout, values);
            }
        }
        finally
        {
            ArrayPool<int>.Shared.Return(line);
            ArrayPool<ushort>.Shared.Return(row);
        }
    }

    public void Return()
    {
        ArrayPool<ushort>.Shared.Return(_samples);
        _samples = [];
    }

    private void UpsampleRow(int y, Span<int> line, Span<ushort> row)
    {
        var near = Row(y / _verticalRatio);
        if (_width <= 2 || _horizontalRatio != 2 || _verticalRatio > 2)
        {
            for (var x = 0; x < _width; x++)
            {
                row.Slice(x * _horizontalRatio, _horizontalRatio).Fill(near[x]);
            }

            return;
        }

        // Three parts of the nearer row and one of the other, then the same along the row. The rounding alternates, so that it has no drift.
        var far = Row(y / 2 + (y % 2 == 0 ? -1 : 1));
        var isHalfHeight = _verticalRatio == 2;
        for (var x = 0; x < _width; x++)
        {
            line[x] = isHalfHeight ? 3 * near[x] + far[x] : near[x];
        }

        var (shift, evenRounding, oddRounding) = isHalfHeight ? (4, 8, 7) : (2, 1, 2);
        for (var x = 0; x < _width; x++)
        {
            row[2 * x] = (ushort)((3 * line[x] + line[Math.Max(x - 1, 0)] + evenRounding) >> shift);
            row[2 * x + 1] = (ushort)((3 * line[x] + line[Math.Min(x + 1, _width - 1)] + oddRounding) >> shift);
        }
    }

    private ReadOnlySpan<ushort> Row(int y) => _samples.AsSpan(Math.Clamp(y, 0, _height - 1) * Stride, _width);

    private void Store(ReadOnlySpan<ushort> row, int y, PixelLayout layout, Span<byte> values)
    {
        var step = layout.ValueStride * layout.BytesPerValue;
        var at = (layout.FirstValueOf(_index) + y * layout.Columns * layout.ValueStride) * layout.BytesPerValue;
        for (var x = 0; x < layout.Columns; x++, at += step)
        {
            if (layout.BytesPerValue == 1)
            {
                values[at] = (byte)row[x];
            }
            else
            {
                BinaryPrimitives.WriteUInt16LittleEndian(values[at..], row[x]);
            }
        }
    }

    private static (int Widest, int Highest) LargestFactors(ReadOnlySpan<JpegComponent> all)
    {
        var (widest, highest) = (1, 1);
        foreach (var component in all)
        {
            (widest, highest) = (Math.Max(widest, component.Horizontal), Math.Max(highest, component.Vertical));
        }

        return (widest, highest);
    }

    private static int CeilingOf(int value, int divisor) => (value + divisor - 1) / divisor;
}
