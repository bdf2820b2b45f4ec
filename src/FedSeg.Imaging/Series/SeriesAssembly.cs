using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>
/// Makes a volume's grid out of the slices of one series, by geometry alone (PS3.3 §C.7.6.2): sort along the normal of
/// ImageOrientationPatient, spacing from ImagePositionPatient. Reject by default, never guess.
/// </summary>
public static class SeriesAssembly
{
    /// <param name="slices">All images that carry one SeriesInstanceUID, in any order; at least one. Localizers are left out.</param>
    public static SeriesOutcome Assemble(IReadOnlyList<SliceHeader> slices, SeriesOptions? options = null)
    {
        options ??= SeriesOptions.Default;
        var stack = slices.Where(slice => !slice.IsLocalizer).ToList();
        if (stack.Count == 0)
        {
            return Refuse(QuarantineReason.UnsupportedImage, slices[0], "holds only localizers; choose the diagnostic series");
        }

        return UnlikeSlices(stack, options) ?? Sort(stack, options);
    }

    private static SeriesOutcome.Refused? UnlikeSlices(List<SliceHeader> stack, SeriesOptions options)
    {
        var first = stack[0];
        if (stack.Find(slice => slice.Obstacle is not null) is { } odd)
        {
            return Refuse(QuarantineReason.UnsupportedImage, odd, $"can't be read as a volume: {odd.Obstacle}; file {odd.Path}");
        }

        if (!IsOrthonormal(first, options))
        {
            return Refuse(QuarantineReason.UnsupportedImage, first, $"has directions in (0020,0037) that are not orthogonal unit vectors; file {first.Path}");
        }

        if (stack.Find(slice => Differs(slice.ColumnDirection, first.ColumnDirection, options) || Differs(slice.RowDirection, first.RowDirection, options)) is { } turned)
        {
            return Refuse(QuarantineReason.MixedOrientation, first, $"has slices of different orientation (0020,0037), for example {turned.Path}; export each stack as a series of its own");
        }

        return stack.Find(slice => slice.Rows != first.Rows || slice.Columns != first.Columns
                || slice.StudyUid != first.StudyUid || slice.FrameOfReferenceUid != first.FrameOfReferenceUid || slice.Modality != first.Modality
                || slice.PatientKey != first.PatientKey
                || Unlike(slice.RowSpacingMm, first.RowSpacingMm, options) || Unlike(slice.ColumnSpacingMm, first.ColumnSpacingMm, options)) is { } other
            ? Refuse(QuarantineReason.InconsistentSeries, first, $"has slices of different size, pixel spacing, frame of reference, study or patient, for example {other.Path}; export each stack as a series of its own")
            : null;
    }

    private static SeriesOutcome Sort(List<SliceHeader> stack, SeriesOptions options)
    {
        var first = stack[0];
        if (stack.Count < 2)
        {
            return Refuse(QuarantineReason.MissingSlices, first, "has one slice only, so the distance between slices is unknown; fetch the whole series");
        }

        if ((long)stack.Count * first.Rows * first.Columns > options.MaxVoxels)
        {
            return Refuse(QuarantineReason.LimitExceeded, first, $"has more than {options.MaxVoxels} voxels; if it is genuine, raise {nameof(SeriesOptions.MaxVoxels)}");
        }

        var normal = Unit(first.ColumnDirection.Cross(first.RowDirection));
        var sorted = stack.OrderBy(slice => slice.PositionMm.Dot(normal)).ToArray();
        var gaps = sorted.Zip(sorted.Skip(1), (lower, upper) => (upper.PositionMm - lower.PositionMm).Dot(normal)).ToArray();
        return RefuseDuplicates(sorted, gaps, options)
            ?? RefuseGaps(sorted, gaps, options)
            ?? RefuseTilt(sorted, normal, options)
            ?? (SeriesOutcome)new SeriesOutcome.Usable(new ImageSeries(sorted, GridOf(sorted, normal)));
    }

    private static SeriesOutcome.Refused? RefuseDuplicates(SliceHeader[] sorted, double[] gaps, SeriesOptions options)
    {
        var index = Array.FindIndex(gaps, gap => gap < options.DuplicateDistanceMm);
        return index < 0 ? null : Refuse(
            QuarantineReason.DuplicateSlices,
            sorted[index],
            $"has two slices at the same position: {sorted[index].Path} and {sorted[index + 1].Path}; remove the copy, or split the series by time or echo");
    }

    private static SeriesOutcome.Refused? RefuseGaps(SliceHeader[] sorted, double[] gaps, SeriesOptions options)
    {
        // The lower median is the true distance even when almost half of the gaps are too wide.
        var spacing = gaps.Order().ElementAt((gaps.Length - 1) / 2);
        var odd = Array.FindIndex(gaps, gap => Unlike(gap, spacing, options));
        if (odd < 0)
        {
            return null;
        }

        var multiples = gaps.All(gap => Math.Round(gap / spacing) is var times && times >= 1 && !Unlike(gap, times * spacing, options));
        return multiples
            ? Refuse(QuarantineReason.MissingSlices, sorted[odd], $"lacks {gaps.Sum(gap => Math.Round(gap / spacing) - 1)} slices, the first after {sorted[odd].Path}; fetch the series again")
            : Refuse(QuarantineReason.IrregularSpacing, sorted[odd], $"has slices {gaps[odd]:0.###} mm apart after {sorted[odd].Path} where others are {spacing:0.###} mm apart; use a series with even spacing");
    }

    private static SeriesOutcome.Refused? RefuseTilt(SliceHeader[] sorted, Vector3D normal, SeriesOptions options)
    {
        var run = sorted[^1].PositionMm - sorted[0].PositionMm;
        var degrees = Math.Acos(Math.Clamp(run.Dot(normal) / run.Length, -1, 1)) * 180 / Math.PI;
        if (degrees > options.MaxTiltDegrees)
        {
            return Refuse(QuarantineReason.GantryTilt, sorted[0], $"is sheared by {degrees:0.##} degrees (gantry tilt); use a series without tilt or one resampled by the scanner");
        }

        var step = run * (1.0 / (sorted.Length - 1));
        var allowed = options.InPlaneShiftTolerance * Math.Min(sorted[0].RowSpacingMm, sorted[0].ColumnSpacingMm);
        for (var i = 0; i < sorted.Length; i++)
        {
            var shift = sorted[i].PositionMm - (sorted[0].PositionMm + step * i);
            if ((shift - normal * shift.Dot(normal)).Length > allowed)
            {
                return Refuse(QuarantineReason.IrregularSpacing, sorted[i], $"has a slice shifted in its plane by {shift.Length:0.###} mm: {sorted[i].Path}; use a series with even positions");
            }
        }

        return null;
    }

    private static GridGeometry GridOf(SliceHeader[] sorted, Vector3D normal)
    {
        var first = sorted[0];
        var spacing = (sorted[^1].PositionMm - first.PositionMm).Dot(normal) / (sorted.Length - 1);
        return new GridGeometry(
            new Index3(sorted.Length, first.Rows, first.Columns),
            new Vector3D(first.ColumnSpacingMm, first.RowSpacingMm, spacing),
            first.PositionMm,
            new AxisDirections(normal, Unit(first.RowDirection), Unit(first.ColumnDirection)));
    }

    private static bool IsOrthonormal(SliceHeader slice, SeriesOptions options) =>
        Math.Abs(slice.ColumnDirection.Length - 1) <= options.OrientationTolerance
        && Math.Abs(slice.RowDirection.Length - 1) <= options.OrientationTolerance
        && Math.Abs(slice.ColumnDirection.Dot(slice.RowDirection)) <= options.OrientationTolerance;

    private static bool Differs(Vector3D a, Vector3D b, SeriesOptions options) =>
        Math.Abs(a.X - b.X) > options.OrientationTolerance || Math.Abs(a.Y - b.Y) > options.OrientationTolerance || Math.Abs(a.Z - b.Z) > options.OrientationTolerance;

    private static bool Unlike(double a, double b, SeriesOptions options) => Math.Abs(a - b) > options.SpacingRelativeTolerance * Math.Abs(b);

    private static Vector3D Unit(Vector3D vector) => vector * (1 / vector.Length);

    private static SeriesOutcome.Refused Refuse(QuarantineReason reason, SliceHeader slice, string problem) =>
        new(reason, $"Series {slice.SeriesUid} {problem}.");
}
