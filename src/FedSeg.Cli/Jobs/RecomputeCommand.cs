using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using FedSeg.Cli.Programs;
using FedSeg.Hosting.Programs;
using Spectre.Console;

namespace FedSeg.Cli.Jobs;

/// <summary>
/// <c>fedseg model recompute</c>: rebuilds models from the updates a coordinator stored and compares their hashes. Works on the
/// coordinator's data folder, with or without a coordinator running on it; the coordinator's own program does the reading, so there is one
/// way to read a journal.
/// </summary>
internal static class RecomputeCommand
{
    private static readonly Argument<string> ModelArgument = new("model")
    {
        Description = "A run's id for all its models, or the SHA-256 of one model.",
    };

    private static readonly Option<DirectoryInfo?> DataOption = new("--data")
    {
        Description = "The coordinator's data folder: its blobs and, unless --journal says otherwise, its journal.",
    };

    private static readonly Option<string?> JournalOption = new("--journal")
    {
        Description = "The journal's PostgreSQL connection string, where it does not lie in the data folder.",
    };

    private static readonly Option<FileInfo?> SettingsOption = new("--settings")
    {
        Description = "Instead of --data, the coordinator's own settings file: what lies in its bucket is fetched to be read.",
    };

    public static Command Create() =>
        new Command("recompute", "Rebuild models from their stored updates and compare the hashes.") { ModelArgument, DataOption, JournalOption, SettingsOption }
            .Does(RecomputeAsync);

    private static async Task<int> RecomputeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string[] arguments = ["recompute", parsed.GetRequiredValue(ModelArgument), .. SourceOf(parsed)];
        var (exitCode, output, errors) = await RunCoordinatorAsync(arguments, cancellationToken);
        if (output.Length == 0)
        {
            await Console.Error.WriteLineAsync(errors.TrimEnd());
            return exitCode;
        }

        var result = JsonSerializer.Deserialize<JsonElement>(output);
        if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(result);
        else Print(result);
        return exitCode;
    }

    /// <summary>Where to read, as the coordinator's program is told.</summary>
    private static string[] SourceOf(ParseResult parsed)
    {
        switch ((parsed.GetValue(DataOption), parsed.GetValue(SettingsOption)))
        {
            case ({ } data, null):
                if (!data.Exists) throw new BadInputException($"There is no folder '{data.FullName}'.");
                return parsed.GetValue(JournalOption) is { } journal ? ["--data", data.FullName, "--journal", journal] : ["--data", data.FullName];
            case (null, { } settings) when parsed.GetValue(JournalOption) is null:
                return ["--settings", settings.FullName];
            default:
                throw new BadInputException("Say where the coordinator keeps its models: --data DIR, with --journal where the journal lies elsewhere, or --settings FILE.");
        }
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunCoordinatorAsync(
        string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [ProgramFiles.Find("FedSeg.Coordinator"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output, await errors);
    }

    private static void Print(JsonElement result)
    {
        var table = new Table().AddColumns("round", "updates", "recorded", "recomputed", "");
        foreach (var model in result.GetProperty("models").EnumerateArray())
        {
            var recomputed = model.GetProperty("recomputed").GetString();
            var verdict = model.GetProperty("matches").GetBoolean() ? "same" : model.GetProperty("problem").GetString() ?? "DIFFERENT";
            table.AddRow(
                model.GetProperty("round").ToString(),
                model.GetProperty("updates").ToString(),
                model.GetProperty("recorded").GetString()![..12],
                recomputed?[..12] ?? "-",
                Markup.Escape(verdict));
        }

        AnsiConsole.Write(table);
        Console.WriteLine(result.GetProperty("verified").GetBoolean()
            ? "Every model is what its updates make."
            : "NOT every model is what its updates make.");
    }
}
