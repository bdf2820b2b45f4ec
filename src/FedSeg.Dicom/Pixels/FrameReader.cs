using System.Buffers;
using System.Buffers.Binary;
using FedSeg.Dicom.Codecs;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Pixels;

/// <summary>
/// Decodes the frames of one file, one at a time, into a buffer that the caller owns. A frame comes out as stored values: little-endian, native
/// width, bits above BitsStored masked away or sign-extended; one-bit values as bytes 0 or 1. Colour samples stay as the file has them. Native pixels go
/// from the file straight into the caller's buffer; compressed ones pass through one pooled buffer of the frame's size. The file must stay open.
/// </summary>
public sealed class FrameReader
{
    private readonly DicomFile _file;
    private readonly IFrameDecoder? _decoder;
    private readonly DicomBytes _native;
    private readonly int _swap;
    private readonly IReadOnlyList<DicomBytes[]> _encodedFrames = [];

    /// <exception cref="DicomException">No pixel data, an unsupported syntax or layout, a missing codec, or too few bytes for the frames.</exception>
    public FrameReader(DicomFile file)
    {
        _file = file;
        Layout = PixelLayout.Of(file);
        var pixels = file.DataSet.Find(Tags.PixelData)
            ?? throw new DicomException(DicomFault.MissingElement, $"{file.Path}: {Tags.PixelData} is absent. This object holds no image.");
        if (file.TransferSyntax.IsEncapsulated)
        {
            _decoder = FrameDecoders.OfThisMachine.For(file.TransferSyntax, file.Path, file.Limits);
            var value = pixels.Encapsulated ?? throw new DicomException(
                DicomFault.Malformed, $"{file.Path}: {file.TransferSyntax} asks for fragments in {Tags.PixelData}, but it has a plain length. Export the file again.");
            var extended = file.DataSet.Find(Tags.ExtendedOffsetTable);
            _encodedFrames = FragmentMap.FramesOf(value, extended is null ? default : extended.Value.Span, Layout.Frames, file.Path);
        }
        else
        {
            _native = pixels.Bytes;
            _swap = SwapOf(pixels, file.TransferSyntax);
            CheckNativeLength(pixels);
        }
    }

    public PixelLayout Layout { get; }

    /// <summary>Decodes frame <paramref name="frame"/> (from 0) into the first <see cref="PixelLayout.FrameBytes"/> bytes of <paramref name="destination"/>.</summary>
    /// <exception cref="DicomException">The compressed bytes are corrupt or disagree with the header.</exception>
    public void Read(int frame, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frame);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frame, Layout.Frames);
        var values = destination[..Layout.FrameBytes];
        if (_decoder is not null)
        {
            Decode(_decoder, _encodedFrames[frame], values);
        }
        else if (Layout.BitsAllocated == 1)
        {
            UnpackBits(frame, values);
        }
        else
        {
            CopyBytes((long)frame * Layout.FrameBytes, values);
        }

        if (_file.TransferSyntax.IsLossy && !Layout.IsSigned && Layout.HighBit == Layout.BitsStored - 1)
        {
            StoredValues.Saturate(values, Layout);
        }
        else
        {
            StoredValues.Normalise(values, Layout);
        }
    }

    private void Decode(IFrameDecoder decoder, DicomBytes[] fragments, Span<byte> values)
    {
        var time = new TimeLimit(_file.Limits, _file.Limits.MaxFrameTime, nameof(DicomLimits.MaxFrameTime), _file.Path);
        var context = new FrameContext(_file.Path, time, _file.TransferSyntax.IsLossy, _file.Limits.AllowHtj2k);
        if (fragments is [var only] && only.TryGetLoaded(out var loaded))
        {
            decoder.Decode(loaded, Layout, values, context);
            return;
        }

        var length = fragments.Sum(fragment => fragment.Length);
        if (length > _file.Limits.MaxFrameBytes)
        {
            throw new DicomException(
                DicomFault.LimitExceeded,
                $"{_file.Path}: a compressed frame of {length} bytes. If the file is genuine, raise {nameof(DicomLimits.MaxFrameBytes)}.");
        }

        var joined = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            var filled = 0;
            foreach (var fragment in fragments)
            {
                fragment.CopyTo(0, joined.AsSpan(filled, (int)fragment.Length));
                filled += (int)fragment.Length;
            }

            decoder.Decode(joined.AsMemory(0, filled), Layout, values, context);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(joined);
        }
    }

    /// <summary>Bits run on across frames, PS3.5 §8.1.1 and PS3.3 §C.8.20.2.</summary>
    private void UnpackBits(int frame, Span<byte> values)
    {
        var firstBit = (long)frame * Layout.ValuesPerFrame;
        var first = firstBit >> 3;
        var count = (int)((firstBit + values.Length + 7 >> 3) - first);
        var packed = ArrayPool<byte>.Shared.Rent(count);
        try
        {
            CopyBytes(first, packed.AsSpan(0, count));
            PackedBits.Unpack(packed, (int)(firstBit & 7), values);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed);
        }
    }

    private void CopyBytes(long first, Span<byte> values)
    {
        if (_swap == 0)
        {
            _native.CopyTo(first, values);
            return;
        }

        var start = first & ~_swap;
        var count = (int)((first + values.Length + _swap & ~_swap) - start);
        var words = ArrayPool<byte>.Shared.Rent(count);
        try
        {
            _native.CopyTo(start, words.AsSpan(0, count));
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = words[(int)(first - start) + i ^ _swap];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(words);
        }
    }

    /// <summary>
    /// Big endian swaps the bytes within each word of the value representation, whatever the pixels' width (PS3.5 §6.2): byte i of the little-endian
    /// form stands at i ^ this.
    /// </summary>
    private static int SwapOf(DicomElement pixels, TransferSyntax syntax) => (syntax.IsBigEndian, pixels.Vr) switch
    {
        (true, DicomVr.OW) => 1,
        (true, DicomVr.OL) => 3,
        _ => 0,
    };

    private void CheckNativeLength(DicomElement pixels)
    {
        var bits = (long)Layout.ValuesPerFrame * Layout.Frames * Layout.BitsAllocated;
        var isSubsampled = Layout.Photometric == "YBR_FULL_422";
        if (pixels.Encapsulated is not null || isSubsampled)
        {
            throw new DicomException(DicomFault.UnsupportedPixels, $"{_file.Path}: {Tags.PixelData} is subsampled colour or has fragments in an uncompressed syntax; neither is read.");
        }

        if ((bits + 7) / 8 > _native.Length || _native.Length % (_swap + 1) != 0)
        {
            throw new DicomException(
                DicomFault.Malformed,
                $"{_file.Path}: {Tags.PixelData} has {_native.Length} bytes where the header asks for {(bits + 7) / 8}. The file is truncated; fetch it again.");
        }
    }
}

/// <summary>Removes what lies outside BitsStored, PS3.5 §8.1.1.</summary>
internal static class StoredValues
{
    /// <summary>A lossy codec may overshoot the largest stored value; masked, white would turn black.</summary>
    public static void Saturate(Span<byte> values, PixelLayout layout)
    {
        var largest = (1UL << layout.BitsStored) - 1;
        if (layout.BytesPerValue == 1)
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (byte)Math.Min(values[i], largest);
            }
        }
        else if (layout.BytesPerValue == 2)
        {
            for (var i = 0; i < values.Length; i += 2)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(values[i..], (ushort)Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(values[i..]), largest));
            }
        }
        else
        {
            Normalise(values, layout);
        }
    }

    public static void Normalise(Span<byte> values, PixelLayout layout)
    {
        var shift = layout.HighBit + 1 - layout.BitsStored;
        if (layout.BitsAllocated == 1 || (layout.BitsStored == layout.BitsAllocated && shift == 0))
        {
            return;
        }

        var unused = 32 - layout.BitsStored;
        for (var i = 0; i < values.Length; i += layout.BytesPerValue)
        {
            var cell = values[i..];
            var raw = layout.BytesPerValue switch
            {
                1 => cell[0],
                2 => BinaryPrimitives.ReadUInt16LittleEndian(cell),
                _ => BinaryPrimitives.ReadUInt32LittleEndian(cell),
            };
            var top = raw >> shift << unused;
            var value = layout.IsSigned ? (uint)((int)top >> unused) : top >> unused;
            switch (layout.BytesPerValue)
            {
                case 1:
                    cell[0] = (byte)value;
                    break;
                case 2:
                    BinaryPrimitives.WriteUInt16LittleEndian(cell, (ushort)value);
                    break;
                default:
                    BinaryPrimitives.WriteUInt32LittleEndian(cell, value);
                    break;
            }
        }
    }
}
