using System.Text;
using System.Text.Json;
using FedSeg.Hosting.Storage;

namespace FedSeg.Cli.Ledgers.Shipping;

/// <summary>A file of one JSON object a line, for whatever collects files. A line that a crash cut short is taken away before the next one is written.</summary>
internal sealed class JsonLinesTarget(string path) : IAuditTarget
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public int BatchSize => 1000;

    public Task SendAsync(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        CutOffPartialLine(stream);
        foreach (var record in records) stream.Write(Line(record));
        DurableFile.Flush(stream);
        return Task.CompletedTask;
    }

    private static byte[] Line(AuditRecord record)
    {
        var entry = record.Entry;
        var line = new { log = record.Log, seq = entry.Seq, leaf = record.Leaf.ToString(), time = entry.Time, action = entry.Action, outcome = record.Outcome, facts = entry.Facts };
        return Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, Options) + "\n");
    }

    private static void CutOffPartialLine(FileStream stream)
    {
        var end = stream.Length;
        for (; end > 0; end--)
        {
            stream.Position = end - 1;
            if (stream.ReadByte() == '\n') break;
        }

        stream.SetLength(end);
        stream.Position = end;
    }
}
