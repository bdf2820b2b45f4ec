using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>
/// Makes a volume's grid out of one stack of slices, by geometry alone (PS3.3 §C.7.6.2): sort along the normal of ImageOrientationPatient,
/// spacing from ImagePositionPatient. The grid's slice axis is the line from the first to the last position, its origin the first position.
/// </summary>
internal static class StackAssembly
{
    /// <param name="stack">Slices without obstacle, in any order; at least one.</param>
    public static SeriesOutcome Assemble(IReadOnlyList<SliceHeader> stack, SeriesOptions options) =>
        RefuseUnlike(stack, options) ?? Sort(stack, options);

    private static SeriesOutcome.Refused? RefuseUnlike(IReadOnlyList<SliceHeader> stack, SeriesOptions options)
    {
        var first = stack[0];
        if (!IsOrthonormal(first, options))
        {
            return Refuse(QuarantineReason.UnsupportedImage, first, "has directions in (0020,0037) that are not orthogonal unit "
                + $"vectors; file {first.Path}");
        }

        return stack.FirstOrDefault(slice => !SliceLikeness.SharesPlane(slice, first, options)) is { } turned
            ? Refuse(QuarantineReason.MixedOrientation, first, "has slices of different orientation (0020,0037), for example "
                + $"{turned.Path}; export each stack as a series of its own")
            : stack.FirstOrDefault(
                slice => !SliceLikeness.SharesPixels(slice, first, options) || !SliceLikeness.SharesOrigin(slice, first)) is { } other
            ? Refuse(QuarantineReason.InconsistentSeries, first, "has slices of different size, pixel spacing, frame of reference, "
                + $"modality or patient, for example {other.Path}; export each stack as a series of its own")
            : null;
    }

    private static SeriesOutcome Sort(IReadOnlyList<SliceHeader> stack, SeriesOptions options)
    {
        var first = stack[0];
        if (stack.Count < 2)
        {
            return Refuse(QuarantineReason.MissingSlices, first, "has one slice only, so the distance between slices is unknown; fetch "
                + "the whole series");
        }

        if ((long)stack.Count * first.Rows * first.Columns > options.MaxVoxels)
        {
            return TooLarge(first, options);
        }

        var normal = Unit(first.ColumnDirection.Cross(first.RowDirection));
        var sorted = stack.OrderBy(slice => slice.PositionMm.Dot(normal)).ToArray();
        var gaps = sorted.Zip(sorted.Skip(1), (lower, upper) => (upper.PositionMm - lower.PositionMm).Dot(normal)).ToArray();
        if (RefuseDuplicates(sorted, gaps, options) is { } duplicates)
        {
            return duplicates;
        }

        // The lower median is the true distance even when almost half of the gaps are too wide.
        var spacing = gaps.Order().ElementAt((gaps.Length - 1) / 2);
        return RefuseGaps(sorted, gaps, spacing, options) ?? Place(sorted, gaps, spacing, normal, options);
    }

    private static SeriesOutcome.Refused? RefuseDuplicates(SliceHeader[] sorted, double[] gaps, SeriesOptions options)
    {
        var index = Array.FindIndex(gaps, gap => gap < options.DuplicateDistanceMm);
        if (index < 0)
        {
            return null;
        }

        var (lower, upper) = (sorted[index], sorted[index + 1]);
        var isCopy = lower.SopInstanceUid == upper.SopInstanceUid && lower.Frame == upper.Frame;
        return Refuse(QuarantineReason.DuplicateSlices, lower, isCopy
            ? $"has one slice twice: {lower.Path} and {upper.Path} are the same instance; remove the copy"
            : $"has two slices at one position: {lower.Path} and {upper.Path}; remove one, or export each phase as a series of its own");
    }

    private static SeriesOutcome.Refused? RefuseGaps(SliceHeader[] sorted, double[] gaps, double spacing, SeriesOptions options)
    {
        var odd = Array.FindIndex(gaps, gap => !SliceLikeness.Alike(gap, spacing, options.SpacingRelativeTolerance));
        if (odd < 0)
        {
            return null;
        }

        var multiples = gaps.All(
            gap => Math.Round(gap / spacing) is var times
                && times >= 1 && SliceLikeness.Alike(gap, times * spacing, options.SpacingRelativeTolerance));
        return !multiples
            ? Refuse(QuarantineReason.IrregularSpacing, sorted[odd], $"has slices {gaps[odd]:0.###} mm apart after {sorted[odd].Path} "
                + $"where others are {spacing:0.###} mm apart; use a series with even spacing")
            : options.FillGaps ? null
            : Refuse(QuarantineReason.MissingSlices, sorted[odd], $"lacks {gaps.Sum(gap => Math.Round(gap / spacing) - 1)} slices, the "
                + $"first after {sorted[odd].Path}; fetch the series again");
    }

    /// <summary>
    /// Every gap is a multiple of the spacing here: puts each slice on its plane, and checks that none drifts off the line.
    /// </summary>
    private static SeriesOutcome Place(SliceHeader[] sorted, double[] gaps, double spacing, Vector3D normal, SeriesOptions options)
    {
        var first = sorted[0];
        // In double: a position may be as far away as a header can write it.
        var count = 1 + gaps.Sum(gap => Math.Round(gap / spacing));
        if (count * first.Rows * first.Columns > options.MaxVoxels)
        {
            return TooLarge(first, options);
        }

        var planes = new int[sorted.Length];
        for (var i = 1; i < planes.Length; i++) planes[i] = planes[i - 1] + (int)Math.Round(gaps[i - 1] / spacing);
        var step = (sorted[^1].PositionMm - first.PositionMm) * (1.0 / (count - 1));
        for (var i = 0; i < sorted.Length; i++)
        {
            var shift = sorted[i].PositionMm - (first.PositionMm + step * planes[i]);
            var along = shift.Dot(normal);
            var across = (shift - normal * along).Length;
            if (Math.Abs(along) > options.PlaneDriftTolerance * spacing)
            {
                return Refuse(QuarantineReason.IrregularSpacing, sorted[i], $"has a slice {Math.Abs(along):0.###} mm off its even place: "
                    + $"{sorted[i].Path}; use a series with even spacing");
            }

            if (across > options.InPlaneShiftTolerance * Math.Min(first.RowSpacingMm, first.ColumnSpacingMm))
            {
                return Refuse(QuarantineReason.IrregularSpacing, sorted[i], $"has a slice shifted in its plane by {across:0.###} mm: "
                    + $"{sorted[i].Path}; use a series with even positions");
            }
        }

        var degrees = Math.Acos(Math.Clamp(step.Dot(normal) / step.Length, -1, 1)) * 180 / Math.PI;
        if (degrees <= options.MaxTiltDegrees)
        {
            return new SeriesOutcome.Usable(Straight(sorted, planes, (int)count, step));
        }

        if (!options.ResampleTilt)
        {
            return Refuse(
                QuarantineReason.GantryTilt,
                first,
                $"is sheared by {degrees:0.##} degrees (gantry tilt); use a series without tilt or one resampled by the scanner");
        }

        var straightened = TiltedStack.Straighten(sorted, planes, (int)count, step, normal);
        return straightened.Grid.Size is var size && (long)size.Z * size.Y * size.X <= options.MaxVoxels
            ? new SeriesOutcome.Usable(straightened)
            : TooLarge(first, options);
    }

    private static ImageSeries Straight(SliceHeader[] sorted, int[] planes, int count, Vector3D step)
    {
        var first = sorted[0];
        return new ImageSeries(sorted, planes, new GridGeometry(
            new Index3(count, first.Rows, first.Columns),
            new Vector3D(first.ColumnSpacingMm, first.RowSpacingMm, step.Length),
            first.PositionMm,
            new AxisDirections(Unit(step), Unit(first.RowDirection), Unit(first.ColumnDirection))));
    }

    private static bool IsOrthonormal(SliceHeader slice, SeriesOptions options) =>
        Math.Abs(slice.ColumnDirection.Length - 1) <= options.UnitLengthTolerance
        && Math.Abs(slice.RowDirection.Length - 1) <= options.UnitLengthTolerance
        && Math.Abs(slice.ColumnDirection.Dot(slice.RowDirection)) <= options.OrthogonalityTolerance;

    private static Vector3D Unit(Vector3D vector) => vector * (1 / vector.Length);

    private static SeriesOutcome.Refused TooLarge(SliceHeader slice, SeriesOptions options) =>
        Refuse(QuarantineReason.LimitExceeded, slice, $"has more than {options.MaxVoxels} voxels; if it is genuine, raise "
            + $"{nameof(SeriesOptions.MaxVoxels)}");

    private static SeriesOutcome.Refused Refuse(QuarantineReason reason, SliceHeader slice, string problem) =>
        new(reason, $"Series {slice.SeriesUid} {problem}.");
}
