using System.Text.Json;
using FedSeg.Cli.Programs;

namespace FedSeg.Cli.Studies.Records;

/// <summary>What records need of an agent's settings file.</summary>
/// <param name="Site">The site's name.</param>
/// <param name="Recipient">The coordinator's address.</param>
/// <param name="DataDirectory">The agent's data folder.</param>
/// <param name="PolicyPath">The egress policy.</param>
internal sealed record SiteSettings(string Site, string Recipient, string DataDirectory, string PolicyPath)
{
    /// <summary>The site's ledger.</summary>
    public string LedgerDirectory => Path.Combine(DataDirectory, "ledger");

    /// <exception cref="BadInputException">Not an agent's settings file, or a key is missing.</exception>
    public static SiteSettings Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var agent = document.RootElement.GetProperty("Agent");
            var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            return new SiteSettings(
                Text(agent, "Site"), Text(agent, "Coordinator"), Path.Combine(folder, Text(agent, "DataDirectory")), Path.Combine(folder, Text(agent, "EgressPolicy")));
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new BadInputException($"'{path}' is not an agent's settings file with Agent:Site, Coordinator, DataDirectory and EgressPolicy.");
        }
    }

    private static string Text(JsonElement agent, string key) => agent.GetProperty(key).GetString() is { Length: > 0 } text ? text : throw new KeyNotFoundException(key);
}
