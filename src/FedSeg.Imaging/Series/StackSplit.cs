namespace FedSeg.Imaging.Series;

/// <summary>Slices of one series that were acquired alike.</summary>
/// <param name="Name">What tells them from the others; <see langword="null"/> where there are no others.</param>
internal sealed record NamedStack(string? Name, IReadOnlyList<SliceHeader> Slices);

/// <summary>Tells apart the stacks that one series holds, in the order in which their first slices come.</summary>
internal static class StackSplit
{
    /// <summary>
    /// By everything that slices of one volume must share; by geometry only where <see cref="SeriesOptions.SplitMixedGeometry"/> asks for
    /// it.
    /// </summary>
    public static IReadOnlyList<NamedStack> ByAcquisition(IReadOnlyList<SliceHeader> slices, SeriesOptions options)
    {
        IReadOnlyList<NamedStack> stacks = [new(null, slices)];
        foreach (var (name, of) in SliceTraits.Firm)
        {
            stacks = [.. stacks.SelectMany(stack => Split(stack, name, slice => of(slice.Traits)))];
        }

        return options.SplitMixedGeometry ? [.. stacks.SelectMany(stack => ByGeometry(stack, options))] : stacks;
    }

    /// <summary>The splits by each looser trait in turn that tells anything apart.</summary>
    public static IEnumerable<IReadOnlyList<NamedStack>> ByLooserTraits(NamedStack stack) =>
        SliceTraits.Loose.Select(trait => Split(stack, trait.Name, slice => trait.Of(slice.Traits))).Where(parts => parts.Count > 1);

    private static IReadOnlyList<NamedStack> Split(NamedStack stack, string trait, Func<SliceHeader, string?> of)
    {
        var groups = stack.Slices.GroupBy(of).ToArray();
        return groups.Length == 1
            ? [stack] : [.. groups.Select(group => new NamedStack(Named(stack, $"{trait} {group.Key ?? "not stated"}"), [.. group]))];
    }

    private static List<NamedStack> ByGeometry(NamedStack stack, SeriesOptions options)
    {
        var parts = new List<List<SliceHeader>>();
        foreach (var slice in stack.Slices)
        {
            var part = parts.Find(
                part => SliceLikeness.SharesPlane(part[0], slice, options) && SliceLikeness.SharesPixels(part[0], slice, options));
            if (part is null) parts.Add([slice]);
            else part.Add(slice);
        }

        return parts.Count == 1 ? [stack] : [.. parts.Select((part, index) => new NamedStack(Named(stack, $"geometry {index + 1}"), part))];
    }

    private static string Named(NamedStack stack, string addition) => stack.Name is null ? addition : $"{stack.Name}, {addition}";
}
