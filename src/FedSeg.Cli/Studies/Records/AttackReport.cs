using System.Collections.Immutable;
using System.Text;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Identity;

namespace FedSeg.Cli.Studies.Records;

/// <summary>The tables of a red team's report, as its tests write it: each with the heading above it.</summary>
/// <param name="Hash">SHA-256 of the file.</param>
/// <param name="Blocks">Headings and tables, in order.</param>
internal sealed record AttackReport(Sha256Digest Hash, ImmutableArray<RecordBlock> Blocks)
{
    /// <exception cref="BadInputException">There is no such file, or no table in it.</exception>
    public static AttackReport Read(string path)
    {
        if (!File.Exists(path)) throw new BadInputException($"There is no file '{path}'.");
        var bytes = File.ReadAllBytes(path);
        var (blocks, heading, rows) = (ImmutableArray.CreateBuilder<RecordBlock>(), "", new List<ImmutableArray<RecordText>>());
        foreach (var line in Encoding.UTF8.GetString(bytes).ReplaceLineEndings("\n").Split('\n').Append(""))
        {
            if (line.StartsWith('|'))
            {
                rows.Add(Cells(line));
                continue;
            }

            if (rows.Count > 2)
            {
                blocks.Add(new RecordBlock.Paragraph(heading));
                blocks.Add(TableOf(rows));
            }

            rows.Clear();
            if (line.StartsWith('#')) heading = line.TrimStart('#').Trim();
        }

        return blocks.Count > 0 ? new AttackReport(Sha256Digest.Of(bytes), blocks.ToImmutable()) : throw new BadInputException($"'{path}' has no table; give the report.md that the red team's tests wrote.");
    }

    // The second row is Markdown's ruler.
    private static RecordBlock.Table TableOf(List<ImmutableArray<RecordText>> rows) => new([.. rows[0].Select(cell => cell.Text)], [.. rows.Skip(2)]);

    private static ImmutableArray<RecordText> Cells(string line) => [.. line.Trim().Trim('|').Split('|').Select(cell => (RecordText)cell.Trim())];
}
