using FedSeg.Imaging.Cases;

namespace FedSeg.Imaging.Series;

/// <summary>One series and the stacks that it holds: usually one, several for echoes, b-values, phases or kernels.</summary>
/// <param name="Files">Image files of the series, bystanders included.</param>
/// <param name="Stacks">At least one.</param>
/// <param name="LeftOut">Scouts and screen saves that stand beside the slices.</param>
public sealed record AssembledSeries(
    string StudyUid, string SeriesUid, string Modality, int Files, IReadOnlyList<SeriesPart> Stacks, IReadOnlyList<FileProblem> LeftOut);

/// <summary>A stack of a series.</summary>
/// <param name="Name">What tells it from the others, such as <c>echo 2</c>; <see langword="null"/> where it is the only one.</param>
public sealed record SeriesPart(string? Name, IReadOnlyList<SliceHeader> Slices, SeriesOutcome Outcome);

/// <summary>What became of one stack: a volume's worth of slices, or a refusal by name.</summary>
public abstract record SeriesOutcome
{
    private SeriesOutcome() { }

    public sealed record Usable(ImageSeries Series) : SeriesOutcome;

    /// <param name="Detail">What is wrong, where and what to do; for the site's own eyes.</param>
    public sealed record Refused(QuarantineReason Reason, string Detail) : SeriesOutcome;
}
