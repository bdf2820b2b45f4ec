using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Storage;

/// <summary>One fact of the log. Its canonical bytes are what the tree's leaf is the hash of.</summary>
/// <param name="Seq">Its index in the log, from 0.</param>
/// <param name="Time">When the writer noted it, UTC, by the site's clock.</param>
/// <param name="Previous">Hash of the entry before it; <see cref="MerkleHash.EmptyRoot"/> in the first.</param>
/// <param name="Action">What happened, one word in camel case, such as <c>egressDecided</c>.</param>
/// <param name="Facts">The particulars by name. Never a patient's data, a path or text out of a file.</param>
public sealed record LedgerEntry(long Seq, DateTimeOffset Time, MerkleHash Previous, string Action, ImmutableSortedDictionary<string, string> Facts)
{
    /// <summary>Longest entry: what a uint16 length can say, as in C2SP tlog entry bundles.</summary>
    public const int MaxBytes = ushort.MaxValue;

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    // Escapes everything but plain ASCII, so that no reader depends on an encoding.
    private static readonly JsonWriterOptions Canonical = new() { Encoder = JavaScriptEncoder.Default };

    /// <summary>Canonical JSON: <c>seq, time, previous, action, facts</c> in this order, facts sorted by ordinal name, no white space.</summary>
    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Canonical))
        {
            writer.WriteStartObject();
            writer.WriteNumber("seq", Seq);
            writer.WriteString("time", Time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture));
            writer.WriteString("previous", Previous.ToString());
            writer.WriteString("action", Action);
            writer.WriteStartObject("facts");
            foreach (var (name, value) in Facts.OrderBy(fact => fact.Key, StringComparer.Ordinal)) writer.WriteString(name, value);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads canonical bytes; <see langword="null"/> for anything that <see cref="ToBytes"/> would not have written.</summary>
    public static LedgerEntry? FromBytes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes.ToArray(), new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });
            var root = document.RootElement;
            var entry = new LedgerEntry(
                root.GetProperty("seq").GetInt64(),
                DateTimeOffset.ParseExact(
                    root.GetProperty("time").GetString()!,
                    TimeFormat,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal),
                MerkleHash.FromBytes(Convert.FromHexString(TextOf(root.GetProperty("previous")))),
                TextOf(root.GetProperty("action")),
                root.GetProperty("facts").EnumerateObject().ToImmutableSortedDictionary(fact => fact.Name, fact => TextOf(fact.Value), StringComparer.Ordinal));
            return entry.ToBytes().AsSpan().SequenceEqual(bytes) ? entry : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static string TextOf(JsonElement value) => value.GetString() ?? throw new FormatException("A text is null.");
}
