using FedSeg.Imaging.Cases;

namespace FedSeg.Imaging.Series;

/// <summary>
/// Makes volumes out of the slices of one series: bystanders are set aside, slices that were acquired differently are told apart, and each
/// stack is assembled by geometry (<see cref="StackAssembly"/>). Reject by default, never guess.
/// </summary>
public static class SeriesAssembly
{
    /// <summary>The series' only volume; a series of several stacks is refused, for one of them would have to be guessed.</summary>
    /// <param name="slices">All images of one study that carry one SeriesInstanceUID, in any order; at least one.</param>
    public static SeriesOutcome Assemble(IReadOnlyList<SliceHeader> slices, SeriesOptions? options = null)
    {
        var stacks = AssembleStacks(slices, options).Stacks;
        return stacks.Count == 1 ? stacks[0].Outcome : new SeriesOutcome.Refused(
            QuarantineReason.SeveralStacks,
            $"Series {slices[0].SeriesUid} holds several volumes ({string.Join("; ", stacks.Select(stack => stack.Name).Take(4))}); "
                + "choose one of them.");
    }

    /// <summary>Every stack of the series with what became of it.</summary>
    /// <param name="slices">All images of one study that carry one SeriesInstanceUID, in any order; at least one.</param>
    public static AssembledSeries AssembleStacks(IReadOnlyList<SliceHeader> slices, SeriesOptions? options = null)
    {
        options ??= SeriesOptions.Default;
        var bystanders = slices.Where(slice => slice.Obstacle is { IsBystander: true }).ToArray();
        var others = slices.Except(bystanders).ToArray();
        var stacks = others.Length == 0 ? [OnlyBystanders(bystanders)] : StacksOf(others, options);
        var leftOut = others.Length == 0 ? [] : bystanders.Select(LeftOut);
        var files = slices.Select(slice => slice.Path).Distinct(StringComparer.Ordinal).Count();
        return new AssembledSeries(slices[0].StudyUid, slices[0].SeriesUid, slices[0].Modality, files, stacks, [.. leftOut]);
    }

    private static FileProblem LeftOut(SliceHeader slice) =>
        new(slice.Path, slice.Obstacle!.Reason, $"{slice.Path}: it {slice.Obstacle.Detail}, and is left out of its series.");

    private static SeriesPart OnlyBystanders(SliceHeader[] slices) => new(null, slices, new SeriesOutcome.Refused(
        slices[0].Obstacle!.Reason, $"Series {slices[0].SeriesUid} holds only localizers or secondary captures; choose the diagnostic "
            + "series."));

    private static List<SeriesPart> StacksOf(SliceHeader[] slices, SeriesOptions options)
    {
        if (slices.FirstOrDefault(slice => slice.Obstacle is not null) is { Obstacle: { } obstacle } odd)
        {
            return [new(null, slices, new SeriesOutcome.Refused(obstacle.Reason, $"Series {odd.SeriesUid} can't be read as a volume: "
                + $"{odd.Path} {obstacle.Detail}."))];
        }

        var stacks = new List<SeriesPart>();
        foreach (var stack in StackSplit.ByAcquisition(slices, options))
        {
            var whole = new SeriesPart(stack.Name, stack.Slices, StackAssembly.Assemble(stack.Slices, options));
            stacks.AddRange(whole.Outcome is SeriesOutcome.Refused ? SplitFurther(stack, options) ?? [whole] : [whole]);
        }

        return stacks;
    }

    /// <summary>A split by a looser trait counts only where every part of it is a volume.</summary>
    private static SeriesPart[]? SplitFurther(NamedStack stack, SeriesOptions options)
    {
        foreach (var parts in StackSplit.ByLooserTraits(stack))
        {
            SeriesPart[] outcomes =
                [.. parts.Select(part => new SeriesPart(part.Name, part.Slices, StackAssembly.Assemble(part.Slices, options)))];
            if (Array.TrueForAll(outcomes, part => part.Outcome is SeriesOutcome.Usable))
            {
                return outcomes;
            }
        }

        return null;
    }
}
