using System.Buffers.Binary;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Pixels;

/// <summary>Which fragments make up which frame, PS3.5 §A.4.</summary>
internal static class FragmentMap
{
    /// <summary>Frames in order, each with its fragments in order.</summary>
    /// <exception cref="DicomException">The fragments can't be told apart into so many frames.</exception>
    public static IReadOnlyList<ReadOnlyMemory<byte>[]> FramesOf(EncapsulatedValue value, int frames, string path)
    {
        if (frames == 1 && value.Fragments.Count > 0)
        {
            return [[.. value.Fragments]];
        }

        if (value.Fragments.Count == frames)
        {
            return [.. value.Fragments.Select(fragment => new[] { fragment })];
        }

        if (value.OffsetTable.Length == 4L * frames && value.Fragments.Count > frames)
        {
            return ByOffsetTable(value, frames, path);
        }

        throw Broken(path, $"{value.Fragments.Count} fragments and an offset table of {value.OffsetTable.Length} bytes don't make {frames} frames");
    }

    private static List<ReadOnlyMemory<byte>[]> ByOffsetTable(EncapsulatedValue value, int frames, string path)
    {
        var result = new List<ReadOnlyMemory<byte>[]>(frames);
        var fragment = 0;
        long offset = 0;
        for (var frame = 0; frame < frames; frame++)
        {
            var next = frame + 1 < frames ? BinaryPrimitives.ReadUInt32LittleEndian(value.OffsetTable.Span[(4 * (frame + 1))..]) : long.MaxValue;
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

    private static DicomException Broken(string path, string problem) =>
        new(DicomFault.Malformed, $"{path}: {Tags.PixelData}: {problem}. The file is corrupt; fetch it again.");
}
