using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Segments;

/// <summary>The frames of a segmentation that is written, and their pixels.</summary>
/// <param name="Frames">Plane of the grid, and segment (<see langword="null"/> in a label map), of each frame.</param>
/// <param name="Bits">Bits of a pixel.</param>
/// <param name="Data">PixelData without padding.</param>
internal sealed record SegmentPixels(IReadOnlyList<(int Plane, int? Segment)> Frames, int Bits, byte[] Data)
{
    /// <summary>
    /// One frame a segment and plane that holds it; one bit a pixel, lowest first, running on across frames (PS3.3 §C.8.20.2).
    /// </summary>
    public static SegmentPixels Binary(LabelVolume labels, int segments)
    {
        var frames = AtLeastOne(
            [.. Enumerable.Range(1, segments).SelectMany(segment => Enumerable.Range(0, labels.Grid.Size.Z)
                .Where(plane => Plane(labels, plane).Contains((byte)segment))
                .Select(plane => (plane, (int?)segment)))],
            (0, 1));
        var packed = new byte[((long)Plane(labels, 0).Length * frames.Count + 7) / 8];
        long bit = 0;
        foreach (var (plane, segment) in frames)
        {
            foreach (var label in Plane(labels, plane))
            {
                if (label == segment)
                {
                    packed[bit >> 3] |= (byte)(1 << (int)(bit & 7));
                }

                bit++;
            }
        }

        return new SegmentPixels(frames, 1, packed);
    }

    /// <summary>One frame a plane that holds any segment; the segment's number in each pixel.</summary>
    public static SegmentPixels LabelMap(LabelVolume labels)
    {
        var frames = AtLeastOne(
            [.. Enumerable.Range(0, labels.Grid.Size.Z).Where(plane => Plane(labels, plane).ContainsAnyExcept((byte)0))
                .Select(plane => (plane, (int?)null))],
            (0, null));
        return new SegmentPixels(frames, 8, [.. frames.SelectMany(frame => Plane(labels, frame.Plane).ToArray())]);
    }

    /// <summary>An image must have a frame; an empty one says that nothing was found.</summary>
    private static IReadOnlyList<(int Plane, int? Segment)> AtLeastOne(
        IReadOnlyList<(int Plane, int? Segment)> frames, (int Plane, int? Segment) empty) =>
        frames.Count > 0 ? frames : [empty];

    private static ReadOnlySpan<byte> Plane(LabelVolume labels, int plane)
    {
        var size = labels.Grid.Size.Y * labels.Grid.Size.X;
        return labels.Labels.AsSpan(plane * size, size);
    }
}
