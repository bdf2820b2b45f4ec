using System.Buffers.Binary;
using System.Security.Cryptography;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Pixels;

/// <summary>What <c>fedseg dicom dump</c> says of one file; no text of a patient is in it.</summary>
/// <param name="PixelSha256">
/// SHA-256, lower-case hexadecimal, of the stored values: frames in order, little-endian, native width, no padding. One-bit values are packed as
/// in the file, lowest bit first and on across frames.
/// </param>
/// <param name="Min">Smallest stored value.</param>
/// <param name="Max">Largest stored value.</param>
public sealed record FileSummary(
    string TransferSyntax,
    string? SopClass,
    string? Modality,
    PixelLayout Layout,
    string PixelSha256,
    long Min,
    long Max)
{
    /// <summary>Reads and decodes a whole file, one frame in memory at a time.</summary>
    /// <exception cref="DicomException">The file can't be read or decoded.</exception>
    public static FileSummary Of(string path, DicomLimits? limits = null)
    {
        using var file = DicomFile.Open(path, limits);
        return Of(file);
    }

    /// <summary>The same of a file that is open already.</summary>
    /// <exception cref="DicomException">The file can't be decoded.</exception>
    public static FileSummary Of(DicomFile file)
    {
        var frames = new FrameReader(file);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[frames.Layout.FrameBytes];
        var bits = new BitPacker();
        long min = long.MaxValue, max = long.MinValue;
        for (var frame = 0; frame < frames.Layout.Frames; frame++)
        {
            frames.Read(frame, buffer);
            if (frames.Layout.BitsAllocated > 1)
            {
                hash.AppendData(buffer);
            }

            for (var i = 0; i < buffer.Length; i += frames.Layout.BytesPerValue)
            {
                var value = ValueAt(buffer.AsSpan(i), frames.Layout);
                if (frames.Layout.BitsAllocated == 1)
                {
                    bits.Append(value != 0, hash);
                }

                min = Math.Min(min, value);
                max = Math.Max(max, value);
            }
        }

        bits.Finish(hash);
        return new FileSummary(
            file.TransferSyntax.Uid,
            file.DataSet.Text(Tags.SopClassUid),
            file.DataSet.Text(Tags.Modality),
            frames.Layout,
            Convert.ToHexStringLower(hash.GetHashAndReset()),
            min,
            max);
    }

    private static long ValueAt(ReadOnlySpan<byte> cell, PixelLayout layout) => (layout.BytesPerValue, layout.IsSigned) switch
    {
        (1, false) => cell[0],
        (1, true) => (sbyte)cell[0],
        (2, false) => BinaryPrimitives.ReadUInt16LittleEndian(cell),
        (2, true) => BinaryPrimitives.ReadInt16LittleEndian(cell),
        (_, false) => BinaryPrimitives.ReadUInt32LittleEndian(cell),
        (_, true) => BinaryPrimitives.ReadInt32LittleEndian(cell),
    };

    private sealed class BitPacker
    {
        private byte _pending;
        private int _count;

        public void Append(bool bit, IncrementalHash hash)
        {
            _pending |= (byte)((bit ? 1 : 0) << _count);
            if (++_count == 8)
            {
                Finish(hash);
            }
        }

        public void Finish(IncrementalHash hash)
        {
            if (_count > 0)
            {
                hash.AppendData([_pending]);
            }

            (_pending, _count) = (0, 0);
        }
    }
}
