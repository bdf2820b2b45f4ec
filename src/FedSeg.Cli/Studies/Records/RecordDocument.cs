using System.Collections.Immutable;

namespace FedSeg.Cli.Studies.Records;

/// <summary>A record to be kept or attached: written once as Markdown and once as HTML to print.</summary>
/// <param name="FileName">Without ending.</param>
/// <param name="Title">Its title.</param>
/// <param name="Sections">Its parts.</param>
internal sealed record RecordDocument(string FileName, string Title, ImmutableArray<RecordSection> Sections)
{
    /// <summary>What the site has to fill in.</summary>
    public IEnumerable<string> Gaps => Sections.SelectMany(section => section.Blocks).SelectMany(block => block.Texts).Where(text => text.IsGap).Select(text => text.Text);
}

/// <summary>A part of a record.</summary>
internal sealed record RecordSection(string Heading, params ImmutableArray<RecordBlock> Blocks);

/// <summary>A piece of a part.</summary>
internal abstract record RecordBlock
{
    private RecordBlock() { }

    /// <summary>Every text in it.</summary>
    public abstract IEnumerable<RecordText> Texts { get; }

    public sealed record Paragraph(RecordText Text) : RecordBlock
    {
        public override IEnumerable<RecordText> Texts => [Text];
    }

    public sealed record Points(ImmutableArray<RecordText> Items) : RecordBlock
    {
        public override IEnumerable<RecordText> Texts => Items;
    }

    public sealed record Table(ImmutableArray<string> Headers, ImmutableArray<ImmutableArray<RecordText>> Rows) : RecordBlock
    {
        public override IEnumerable<RecordText> Texts => Rows.SelectMany(row => row);

        /// <summary>Names and what is said of each.</summary>
        public static Table OfFacts(params ImmutableArray<(string Name, RecordText Text)> facts) =>
            new(["", ""], [.. facts.Select(fact => ImmutableArray.Create<RecordText>(fact.Name, fact.Text))]);
    }
}
