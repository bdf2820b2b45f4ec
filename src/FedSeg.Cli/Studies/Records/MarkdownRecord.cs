using System.Text;

namespace FedSeg.Cli.Studies.Records;

/// <summary>A record as Markdown.</summary>
internal static class MarkdownRecord
{
    public static string Write(RecordDocument document)
    {
        var text = new StringBuilder().AppendLine($"# {Escape(document.Title)}");
        foreach (var section in document.Sections)
        {
            text.AppendLine().AppendLine($"## {Escape(section.Heading)}");
            foreach (var block in section.Blocks) Write(text.AppendLine(), block);
        }

        return text.ToString();
    }

    private static void Write(StringBuilder text, RecordBlock block)
    {
        switch (block)
        {
            case RecordBlock.Paragraph paragraph:
                text.AppendLine(Of(paragraph.Text));
                break;
            case RecordBlock.Points points:
                foreach (var item in points.Items) text.AppendLine($"- {Of(item)}");
                break;
            case RecordBlock.Table table:
                text.AppendLine($"| {string.Join(" | ", table.Headers.Select(Escape))} |");
                text.AppendLine($"|{string.Concat(table.Headers.Select(_ => "---|"))}");
                foreach (var row in table.Rows) text.AppendLine($"| {string.Join(" | ", row.Select(Of))} |");
                break;
        }
    }

    private static string Of(RecordText text) => text.IsGap ? $"**[TO BE FILLED IN: {Escape(text.Text)}]**" : Escape(text.Text);

    /// <summary>Nothing that people wrote may become markup, or end a table's row.</summary>
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var letter in text.ReplaceLineEndings(" "))
        {
            if (letter is '\\' or '`' or '*' or '_' or '[' or ']' or '<' or '>' or '|' or '#') escaped.Append('\\');
            escaped.Append(letter);
        }

        return escaped.ToString();
    }
}
