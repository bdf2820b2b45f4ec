using System.Globalization;
using System.Text;

namespace FedSeg.Cli.Ledgers.Shipping;

/// <summary>An audit event as a syslog message of RFC 5424: facility 13 (log audit), every fact as a parameter of one structured element.</summary>
internal static class SyslogMessage
{
    private const int LogAudit = 13, Critical = 2, Warning = 4, Notice = 5;
    private const int MaximumName = 32;

    /// <summary>32473 is the enterprise number for documentation, RFC 5612; no other is registered for FedSeg.</summary>
    private const string Element = "fedseg@32473";

    /// <summary>The message, UTF-8, without framing.</summary>
    public static byte[] Of(AuditRecord record, string host)
    {
        var entry = record.Entry;
        var severity = record.Outcome switch { 0 => Notice, 4 => Warning, _ => Critical };
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<{LogAudit * 8 + severity}>1 {entry.Time.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffffZ} ");
        text.Append(CultureInfo.InvariantCulture, $"{Printable(host, 255)} fedseg - {Printable(entry.Action, MaximumName)} [{Element}");
        Parameter(text, "log", record.Log);
        Parameter(text, "seq", entry.Seq.ToString(CultureInfo.InvariantCulture));
        Parameter(text, "leaf", record.Leaf.ToString());
        Parameter(text, "outcome", record.Outcome.ToString(CultureInfo.InvariantCulture));
        foreach (var (key, value) in entry.Facts) Parameter(text, key, value);
        return Encoding.UTF8.GetBytes(text.Append(']').ToString());
    }

    /// <summary>The octet count of RFC 5425 before the message.</summary>
    public static byte[] Framed(byte[] message) => [.. Encoding.ASCII.GetBytes(message.Length.ToString(CultureInfo.InvariantCulture) + " "), .. message];

    private static void Parameter(StringBuilder text, string name, string value)
    {
        var escaped = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal);
        text.Append(CultureInfo.InvariantCulture, $" {Printable(name, MaximumName)}=\"{escaped}\"");
    }

    /// <summary>Printable ASCII without what a name may not hold; "-", which stands for nothing, when nothing is left.</summary>
    private static string Printable(string name, int length)
    {
        var kept = string.Concat(name.Where(c => c is > ' ' and <= '~' and not ('=' or ']' or '"')).Take(length));
        return kept.Length == 0 ? "-" : kept;
    }
}
