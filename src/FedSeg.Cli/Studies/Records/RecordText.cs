namespace FedSeg.Cli.Studies.Records;

/// <summary>What a record says, or what it can't say: a gap is printed as one, for the site to fill in, and never filled with a guess.</summary>
/// <param name="Text">The words; of a gap, what is to be filled in.</param>
/// <param name="IsGap">Whether nobody told the program.</param>
internal readonly record struct RecordText(string Text, bool IsGap = false)
{
    public static implicit operator RecordText(string known) => new(known);

    public static RecordText Gap(string what) => new(what, IsGap: true);

    public static RecordText Of(string? known, string gap) => known is null ? Gap(gap) : new(known);
}
