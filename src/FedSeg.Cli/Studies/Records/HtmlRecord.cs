using System.Net;
using System.Text;

namespace FedSeg.Cli.Studies.Records;

/// <summary>A record as one HTML page to print: no script, nothing loaded from anywhere.</summary>
internal static class HtmlRecord
{
    private const string Style = """
        body { font: 11pt/1.5 serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; color: #111; }
        h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
        table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .9em; }
        th, td { border: 1px solid #999; padding: .25rem .5rem; text-align: left; vertical-align: top; }
        td { overflow-wrap: anywhere; }
        .gap { background: #ffe08a; border: 1px dashed #8a6d00; padding: 0 .3rem; }
        @media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } tr { break-inside: avoid; } .gap { background: none; border: 2px dashed #000; } }
        """;

    public static string Write(RecordDocument document)
    {
        var html = new StringBuilder()
            .AppendLine("<!DOCTYPE html>")
            .AppendLine("<html lang=\"en\"><head><meta charset=\"utf-8\">")
            .AppendLine("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">")
            .AppendLine($"<title>{Encode(document.Title)}</title><style>{Style}</style></head><body>")
            .AppendLine($"<h1>{Encode(document.Title)}</h1>");
        foreach (var section in document.Sections)
        {
            html.AppendLine($"<h2>{Encode(section.Heading)}</h2>");
            foreach (var block in section.Blocks) Write(html, block);
        }

        return html.AppendLine("</body></html>").ToString();
    }

    private static void Write(StringBuilder html, RecordBlock block)
    {
        switch (block)
        {
            case RecordBlock.Paragraph paragraph:
                html.AppendLine($"<p>{Of(paragraph.Text)}</p>");
                break;
            case RecordBlock.Points points:
                html.AppendLine($"<ul>{string.Concat(points.Items.Select(item => $"<li>{Of(item)}</li>"))}</ul>");
                break;
            case RecordBlock.Table table:
                var headers = table.Headers.All(header => header.Length == 0) ? "" : $"<tr>{string.Concat(table.Headers.Select(header => $"<th>{Encode(header)}</th>"))}</tr>";
                html.AppendLine($"<table>{headers}");
                foreach (var row in table.Rows) html.AppendLine($"<tr>{string.Concat(row.Select(cell => $"<td>{Of(cell)}</td>"))}</tr>");
                html.AppendLine("</table>");
                break;
        }
    }

    private static string Of(RecordText text) => text.IsGap ? $"<span class=\"gap\">To be filled in: {Encode(text.Text)}</span>" : Encode(text.Text);

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
