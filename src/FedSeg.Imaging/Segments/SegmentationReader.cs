using System.Buffers.Binary;
using FedSeg.Dicom;
using FedSeg.Dicom.Pixels;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Segments;

/// <summary>What became of a segmentation that was laid onto an image's grid.</summary>
public abstract record SegmentationOutcome
{
    private SegmentationOutcome() { }

    public sealed record Mapped(LabelVolume Labels) : SegmentationOutcome;

    /// <param name="Detail">What is wrong, where and what to do; for the site's own eyes.</param>
    public sealed record Refused(QuarantineReason Reason, string Detail) : SegmentationOutcome;
}

/// <summary>How segmentations are read.</summary>
public sealed class SegmentationOptions
{
    public static SegmentationOptions Default { get; } = new();

    /// <summary>A voxel of a fractional segmentation belongs to the segment from this part of MaximumFractionalValue on.</summary>
    public double FractionalThreshold { get; init; } = 0.5;

    /// <summary>Farthest that a frame's corner may lie from a voxel centre of the image, in voxels.</summary>
    public double PlacementToleranceVoxels { get; init; } = 0.1;
}

/// <summary>
/// Lays a DICOM segmentation onto the grid of its image by geometry alone. Flipped and permuted frames are followed; a frame
/// that does not fall on the image's voxels is refused, never resampled.
/// </summary>
public static class SegmentationReader
{
    /// <exception cref="DicomException">The file can't be read or decoded.</exception>
    public static SegmentationOutcome Read(
        SegmentationHeader header,
        GridGeometry grid,
        LabelVocabulary vocabulary,
        SegmentationOptions? options = null,
        DicomLimits? limits = null)
    {
        var classes = ClassesOf(header, vocabulary);
        var present = classes.Values.ToHashSet();
        for (var label = 1; label <= vocabulary.Labels.Count; label++)
        {
            if (!present.Contains(label))
            {
                return Refuse(QuarantineReason.LabelMissing, header, $"has no segment for the label '{vocabulary.Labels[label - 1].Name}'; add it to the file or map its name in the site's settings");
            }
        }

        return Paint(header, grid, classes, options ?? SegmentationOptions.Default, limits);
    }

    /// <summary>Every segment under its own number, whatever it is called.</summary>
    /// <exception cref="DicomException">The file can't be read or decoded.</exception>
    public static SegmentationOutcome ReadByNumber(
        SegmentationHeader header, GridGeometry grid, SegmentationOptions? options = null, DicomLimits? limits = null)
    {
        var classes = new Dictionary<int, int>();
        foreach (var segment in header.Segments)
        {
            // 0 is a label map's background.
            if (segment.Number > byte.MaxValue) return Refuse(QuarantineReason.UnsupportedImage, header, $"has a segment {segment.Number}; at most {byte.MaxValue} are read");
            if (segment.Number > 0) classes[segment.Number] = segment.Number;
        }

        return Paint(header, grid, classes, options ?? SegmentationOptions.Default, limits);
    }

    private static SegmentationOutcome Paint(
        SegmentationHeader header, GridGeometry grid, Dictionary<int, int> classes, SegmentationOptions options, DicomLimits? limits)
    {
        using var file = DicomFile.Open(header.Path, limits);
        var frames = new FrameReader(file);
        if (frames.Layout.Frames != header.Frames.Count || frames.Layout.SamplesPerPixel != 1)
        {
            return Refuse(QuarantineReason.SegmentationGridMismatch, header, $"has {frames.Layout.Frames} frames, but places {header.Frames.Count}; export it again");
        }

        if (frames.Layout.BytesPerValue > (header.Kind == SegmentationKind.LabelMap ? 2 : 1))
        {
            return Refuse(QuarantineReason.UnsupportedImage, header, $"has {frames.Layout.BitsAllocated} bits a voxel, more than its kind allows; export it again");
        }

        var labels = new LabelVolume(grid, new byte[grid.VoxelCount]);
        var buffer = new byte[frames.Layout.FrameBytes];
        for (var index = 0; index < header.Frames.Count; index++)
        {
            var frame = header.Frames[index];
            if (header.Kind != SegmentationKind.LabelMap && (frame.SegmentNumber is not { } number || !classes.ContainsKey(number)))
            {
                continue;
            }

            if (FramePlacement.On(grid, frame, frames.Layout.Rows, frames.Layout.Columns, options.PlacementToleranceVoxels) is not { } placement)
            {
                return Refuse(QuarantineReason.SegmentationGridMismatch, header, $"frame {index + 1} does not fall on the voxels of the image; export the segmentation on the image's own grid");
            }

            frames.Read(index, buffer);
            if (!TryPaint(labels.Labels, placement, ClassPerPixel(header, frame, frames.Layout, buffer, classes, options)))
            {
                return Refuse(QuarantineReason.OverlappingLabels, header, $"frame {index + 1} gives a second trained label to a voxel; correct the segmentation so that its labels don't overlap");
            }
        }

        return new SegmentationOutcome.Mapped(labels);
    }

    private static Dictionary<int, int> ClassesOf(SegmentationHeader header, LabelVocabulary vocabulary)
    {
        var classes = new Dictionary<int, int>();
        foreach (var segment in header.Segments)
        {
            if (vocabulary.ClassOf(segment.Label) is { } label)
            {
                classes[segment.Number] = label;
            }
        }

        return classes;
    }

    private static Func<int, int> ClassPerPixel(
        SegmentationHeader header, SegmentFrame frame, PixelLayout layout, byte[] pixels, Dictionary<int, int> classes, SegmentationOptions options)
    {
        if (header.Kind == SegmentationKind.LabelMap)
        {
            return layout.BytesPerValue == 1
                ? pixel => classes.GetValueOrDefault(pixels[pixel])
                : pixel => classes.GetValueOrDefault(BinaryPrimitives.ReadUInt16LittleEndian(pixels.AsSpan(2 * pixel)));
        }

        var label = classes[frame.SegmentNumber!.Value];
        var least = header.Kind == SegmentationKind.Binary ? 1 : Math.Max(1, options.FractionalThreshold * header.MaximumFractionalValue);
        return pixel => pixels[pixel * layout.BytesPerValue] >= least ? label : 0;
    }

    private static bool TryPaint(byte[] labels, FramePlacement placement, Func<int, int> classOf)
    {
        var pixel = 0;
        for (var row = 0; row < placement.Rows; row++)
        {
            for (var column = 0; column < placement.Columns; column++, pixel++)
            {
                var label = classOf(pixel);
                if (label == 0)
                {
                    continue;
                }

                ref var voxel = ref labels[placement.First + row * placement.RowStride + column * placement.ColumnStride];
                if (voxel != 0 && voxel != label)
                {
                    return false;
                }

                voxel = (byte)label;
            }
        }

        return true;
    }

    private static SegmentationOutcome.Refused Refuse(QuarantineReason reason, SegmentationHeader header, string problem) =>
        new(reason, $"{header.Path}: the segmentation {problem}.");
}
