using System.Text.Json;

namespace FedSeg.Ledger.Verifier.Folders;

/// <summary>The two facts by which an entry says where it belongs: its number and the hash of the entry before it.</summary>
internal readonly record struct EntryHead(long Index, string Previous)
{
    /// <summary>Reads an entry's JSON; <see langword="null"/> when it is not an entry.</summary>
    public static EntryHead? Parse(ReadOnlyMemory<byte> entry)
    {
        try
        {
            using var json = JsonDocument.Parse(entry, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var root = json.RootElement;
            return root.GetProperty("previous").GetString() is { } previous ? new EntryHead(root.GetProperty("seq").GetInt64(), previous) : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }
}
