using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Hosting.Storage;

namespace FedSeg.Cli.Experiments;

/// <summary>
/// The rows of an experiment that are finished, beside its table on disk: one that was stopped after hours goes on with the row it was at. Rows of other settings are not taken.
/// </summary>
internal sealed class FinishedArms
{
    private static readonly JsonSerializerOptions Options = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, WriteIndented = true };

    private readonly string _path;
    private readonly Content _content;

    private FinishedArms(string path, Content content) => (_path, _content) = (path, content);

    /// <summary>The rows beside a table.</summary>
    /// <param name="tablePath">The table; its rows are in a file of the same name with <c>.rows.json</c> behind.</param>
    /// <param name="settings">All that a row depends on, in any canonical form.</param>
    /// <exception cref="Programs.BadInputException">The file there holds rows of other settings, or no rows.</exception>
    public static FinishedArms Beside(string tablePath, string settings)
    {
        var path = tablePath + ".rows.json";
        if (!File.Exists(path)) return new FinishedArms(path, new Content(settings, []));
        try
        {
            var content = JsonSerializer.Deserialize<Content>(File.ReadAllBytes(path), Options);
            if (content is { Arms: not null } && content.Settings == settings) return new FinishedArms(path, content);
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new Programs.BadInputException($"{path}: holds rows of an experiment with other data, options or build; remove it, or name another --out.");
    }

    /// <summary>An arm's rows, if it was finished.</summary>
    public IReadOnlyList<ExperimentRow>? Of(string arm) => _content.Arms.GetValueOrDefault(arm);

    /// <summary>Keeps an arm's rows; on disk when this returns.</summary>
    public void Add(string arm, IReadOnlyList<ExperimentRow> rows)
    {
        _content.Arms[arm] = rows;
        DurableFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(_content, Options));
    }

    private sealed record Content(string Settings, Dictionary<string, IReadOnlyList<ExperimentRow>> Arms);
}
