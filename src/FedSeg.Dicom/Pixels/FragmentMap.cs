using System.Buffers.Binary;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Pixels;

/// <summary>Which fragments make up which frame, PS3.5 §A.4. What can't be told for certain is refused.</summary>
internal static class FragmentMap
{
    /// <summary>Frames in order, each with its fragments in order.</summary>
    /// <param name="extended">The Extended Offset Table, PS3.3 §C.7.6.3.1.8, or empty.</param>
    /// <exception cref="DicomException">The fragments can't be told apart into so many frames.</exception>
    public static IReadOnlyList<DicomBytes[]> FramesOf(EncapsulatedValue value, ReadOnlySpan<byte> extended, int frames, string path)
    {
        if (extended.Length > 0)
        {
            return ByExtendedOffsetTable(value, extended, frames, path);
        }

        if (frames == 1 && value.Fragments.Count > 0)
        {
            return [[.. value.Fragments]];
        }

        if (value.Fragments.Count == frames)
        {
            return [.. value.Fragments.Select(fragment => new[] { fragment })];
        }

        if (value.Fragments.Count > frames)
        {
            return value.OffsetTable.Length == 4L * frames ? ByOffsetTable(value, frames, path)
                : value.OffsetTable.Length == 0 ? ByImageStart(value, frames, path)
                : throw Broken(path, $"an offset table of {value.OffsetTable.Length} bytes is not one of {frames} frames");
        }

        throw Broken(path, $"{value.Fragments.Count} fragments don't make {frames} frames");
    }

    /// <summary>Each frame is one fragment here; what the table says must be what is there.</summary>
    private static List<DicomBytes[]> ByExtendedOffsetTable(EncapsulatedValue value, ReadOnlySpan<byte> table, int frames, string path)
    {
        if (table.Length != 8L * frames || value.Fragments.Count != frames || value.OffsetTable.Length != 0)
        {
            throw Broken(path, $"an extended offset table of {table.Length} bytes does not go with {frames} frames in {value.Fragments.Count} fragments");
        }

        var result = new List<DicomBytes[]>(frames);
        var offset = 0UL;
        for (var frame = 0; frame < frames; frame++)
        {
            if (BinaryPrimitives.ReadUInt64LittleEndian(table[(8 * frame)..]) != offset)
            {
                throw Broken(path, $"the extended offset table does not point at the fragment of frame {frame + 1}");
            }

            offset += 8 + (ulong)value.Fragments[frame].Length;
            result.Add([value.Fragments[frame]]);
        }

        return result;
    }

    private static List<DicomBytes[]> ByOffsetTable(EncapsulatedValue value, int frames, string path)
    {
        var table = value.OffsetTable.ToMemory().Span;
        var result = new List<DicomBytes[]>(frames);
        var fragment = 0;
        long offset = 0;
        for (var frame = 0; frame < frames; frame++)
        {
            var next = frame + 1 < frames ? BinaryPrimitives.ReadUInt32LittleEndian(table[(4 * (frame + 1))..]) : long.MaxValue;
            var first = fragment;
            while (fragment < value.Fragments.Count && offset < next)
            {
                offset += 8 + value.Fragments[fragment++].Length;
            }

            if (fragment == first || (frame + 1 < frames && offset != next))
            {
                throw Broken(path, $"the offset table does not point at a fragment for frame {frame + 2}");
            }

            result.Add([.. value.Fragments.Skip(first).Take(fragment - first)]);
        }

        return result;
    }

    /// <summary>
    /// Without any table a frame begins where a JPEG or JPEG 2000 image does: neither SOI nor SOC can stand inside the compressed bits. It counts only when
    /// there are exactly as many as frames.
    /// </summary>
    private static List<DicomBytes[]> ByImageStart(EncapsulatedValue value, int frames, string path)
    {
        var result = new List<DicomBytes[]>(frames);
        var first = 0;
        for (var i = 1; i <= value.Fragments.Count; i++)
        {
            if (i == value.Fragments.Count || BeginsImage(value.Fragments[i]))
            {
                result.Add([.. value.Fragments.Skip(first).Take(i - first)]);
                first = i;
            }
        }

        return result.Count == frames && BeginsImage(value.Fragments[0]) ? result
            : throw Broken(path, $"there is no offset table, and {value.Fragments.Count} fragments don't show where {frames} frames begin");
    }

    private static bool BeginsImage(DicomBytes fragment)
    {
        Span<byte> start = stackalloc byte[3];
        if (fragment.Length < start.Length)
        {
            return false;
        }

        fragment.CopyTo(0, start);
        return start is [0xFF, 0xD8, 0xFF] or [0xFF, 0x4F, 0xFF];
    }

    private static DicomException Broken(string path, string problem) =>
        new(DicomFault.Malformed, $"{path}: {Tags.PixelData}: {problem}. The file is corrupt; fetch it again.");
}
