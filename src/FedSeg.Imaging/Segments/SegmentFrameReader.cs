using System.Buffers.Binary;
using FedSeg.Dicom;
using FedSeg.Dicom.Pixels;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Segments;

/// <summary>Lays the frames of a DICOM segmentation onto a grid; flipped and permuted frames are followed.</summary>
internal static class SegmentFrameReader
{
    /// <param name="classes">The class of each segment number to read; others are left out.</param>
    /// <exception cref="DicomException">The file can't be read or decoded.</exception>
    public static SegmentationOutcome Read(
        SegmentationHeader header, GridGeometry grid, IReadOnlyDictionary<int, int> classes, SegmentationOptions options, DicomLimits? limits)
    {
        if (header.IsConcatenation)
        {
            return header.Refuse(QuarantineReason.UnsupportedSegmentation, "is a part of a concatenation (0020,9161), so that labels may "
                + "be missing; export it as one file");
        }

        using var file = DicomFile.Open(header.Path, limits);
        var frames = new FrameReader(file);
        if (frames.Layout.Frames != header.Frames.Count || frames.Layout.SamplesPerPixel != 1)
        {
            return header.Refuse(QuarantineReason.SegmentationGridMismatch, $"has {frames.Layout.Frames} frames, but places "
                + $"{header.Frames.Count}; export it again");
        }

        if (frames.Layout.BytesPerValue > (header.Kind == SegmentationKind.LabelMap ? 2 : 1))
        {
            return header.Refuse(QuarantineReason.UnsupportedSegmentation, $"has {frames.Layout.BitsAllocated} bits a voxel, more than "
                + "its kind allows; export it again");
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

            if (FramePlacement.On(
                grid, frame, frames.Layout.Rows, frames.Layout.Columns, options.PlacementToleranceVoxels) is not { } placement)
            {
                return header.Refuse(QuarantineReason.SegmentationGridMismatch, $"has a frame ({index + 1}) that does not fall on the "
                    + "voxels of the image; export it on the image's own grid");
            }

            frames.Read(index, buffer);
            if (!TryPaint(labels.Labels, placement, ClassPerPixel(header, frame, frames.Layout, buffer, classes, options)))
            {
                return header.Refuse(QuarantineReason.OverlappingLabels, $"gives a second trained label to a voxel in frame {index + 1}; "
                    + "correct it so that its labels don't overlap");
            }
        }

        return new SegmentationOutcome.Mapped(labels);
    }

    /// <summary>The classes that a vocabulary gives to a file's segments.</summary>
    public static Dictionary<int, int> ClassesOf(SegmentationHeader header, LabelVocabulary vocabulary)
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
        SegmentationHeader header, SegmentFrame frame, PixelLayout layout, byte[] pixels, IReadOnlyDictionary<int, int> classes,
        SegmentationOptions options)
    {
        if (header.Kind == SegmentationKind.LabelMap)
        {
            return layout.BytesPerValue == 1
                ? pixel => classes.GetValueOrDefault(pixels[pixel])
                : pixel => classes.GetValueOrDefault(BinaryPrimitives.ReadUInt16LittleEndian(pixels.AsSpan(2 * pixel)));
        }

        var label = classes[frame.SegmentNumber!.Value];
        var threshold = header.FractionalType switch
        {
            FractionalType.Probability => options.ProbabilityThreshold,
            FractionalType.Occupancy => options.OccupancyThreshold,
            _ => 0,
        };
        var least = Math.Max(1, threshold * header.MaximumFractionalValue);
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
}
