using System.CommandLine;
using System.Text.Json;
using FedSeg.Cli.Programs;
using FedSeg.Dicom.Deidentification;
using Spectre.Console;

namespace FedSeg.Cli.Imaging;

/// <summary>
/// <c>fedseg dicom deidentify</c>: PS3.15 Annex E on files and folders, with a report that holds no value of any patient.
/// </summary>
internal static class DeidentifyCommand
{
    private const string BasicProfile = "basic";

    public static Command Create()
    {
        var input = new Argument<string>("in") { Description = "A DICOM file, or a folder of them in any names and sub-folders." };
        var output = new Argument<DirectoryInfo>("out")
        {
            Description = "A new or empty folder; OUT/<study>/<series>/<instance>.dcm is written, by new UIDs.",
        };
        var profile = new Option<string>("--profile")
        {
            Description = "The confidentiality profile: basic (PS3.15 Annex E).",
            DefaultValueFactory = _ => BasicProfile,
        };
        profile.AcceptOnlyFromAmong(BasicProfile);
        var retain = new Option<string[]>("--retain")
        {
            Description = $"Options of the profile, by commas or one each time: {string.Join(", ", DeidentificationProfile.OptionNames)}.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        var key = new Option<FileInfo>("--key")
        {
            Description = "The secret that decides new UIDs, pseudonyms and shifted dates; made when absent. It stays at the hospital.",
            DefaultValueFactory = _ => new FileInfo(DefaultKeyPath),
        };
        var list = new Option<FileInfo?>("--quarantine-list")
        {
            Description = "Write the paths of the files held back, with reasons, to this file. Paths may name patients.",
        };
        return new Command("deidentify", "Write copies without what identifies a patient; hold back what can't be cleaned.")
            { input, output, profile, retain, key, list }
            .Does((parsed, cancellationToken) =>
            {
                var (source, target) = (parsed.GetRequiredValue(input), parsed.GetRequiredValue(output).FullName);
                var chosen = Profile(parsed.GetRequiredValue(retain));
                var files = Files(source, target);
                var deidentifier = new Deidentifier(chosen, Key(parsed.GetRequiredValue(key).FullName));
                var quarantined = new List<string>();
                FileProgressBar.Show("De-identifying", progress =>
                {
                    FolderDeidentification.Run(
                        deidentifier, files, target, (file, reason) => quarantined.Add($"{reason}\t{file}"), progress?.Of(files.Count), cancellationToken);
                    return true;
                });
                if (parsed.GetValue(list) is { } listFile) File.WriteAllLines(listFile.FullName, quarantined);
                if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(Describe(deidentifier.Report, chosen));
                else Print(deidentifier.Report, files.Count);
                return Task.FromResult(deidentifier.Report.Files > 0 ? CommandLine.Done : CommandLine.No);
            });
    }

    private static string DefaultKeyPath =>
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            "fedseg", "deidentification.key");

    private static DeidentificationProfile Profile(string[] names)
    {
        try
        {
            return DeidentificationProfile.Parse(names.SelectMany(name =>
                name.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
        }
        catch (ArgumentException error)
        {
            throw new BadInputException($"--retain: {error.Message}");
        }
    }

    private static IReadOnlyList<string> Files(string source, string target)
    {
        if (!File.Exists(source) && !Directory.Exists(source))
            throw new BadInputException($"There is no file or folder '{Path.GetFullPath(source)}'.");
        if (File.Exists(target) || Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
            throw new BadInputException($"{target} is not an empty folder; name a new one.");
        if (Directory.Exists(source) && FolderDeidentification.Overlap(source, target))
            throw new BadInputException($"{target} and {Path.GetFullPath(source)} lie in each other; name a folder elsewhere.");
        return FolderDeidentification.Files(source) is { Count: > 0 } files ? files
            : throw new BadInputException($"There are no files in '{Path.GetFullPath(source)}'.");
    }

    private static DeidentificationKey Key(string path)
    {
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            Console.Error.WriteLine($"Made a new key, {path}. With it a patient gets the same pseudonym next time; without it nobody can link the copies.");
        }

        return DeidentificationKey.OpenOrCreate(path);
    }

    private static object Describe(DeidentificationReport report, DeidentificationProfile profile) => new
    {
        files = report.Files,
        profile = BasicProfile,
        options = profile.Options,
        actions = report.Actions.ToDictionary(entry => entry.Key, entry => new
        {
            attribute = entry.Value.Keyword,
            removed = Count(entry.Value, AttributeOutcome.Removed),
            emptied = Count(entry.Value, AttributeOutcome.Emptied),
            replaced = Count(entry.Value, AttributeOutcome.Replaced),
            remapped = Count(entry.Value, AttributeOutcome.Remapped),
            kept = Count(entry.Value, AttributeOutcome.Kept),
            cleaned = Count(entry.Value, AttributeOutcome.Cleaned),
            echoReplaced = Count(entry.Value, AttributeOutcome.EchoReplaced),
        }),
        quarantined = report.Quarantined.ToDictionary(entry => CamelCase(entry.Key), entry => entry.Value),
    };

    private static int? Count(AttributeActions actions, AttributeOutcome outcome) =>
        actions.Counts.TryGetValue(outcome, out var count) ? count : null;

    private static string CamelCase(QuarantineReason reason) => JsonNamingPolicy.CamelCase.ConvertName(reason.ToString());

    private static void Print(DeidentificationReport report, int files)
    {
        var table = new Table().AddColumns("tag", "attribute", "done");
        foreach (var (tag, actions) in report.Actions)
        {
            table.AddRow(tag, actions.Keyword ?? "-", string.Join(", ", actions.Counts.Select(count => $"{count.Key} {count.Value}")));
        }

        AnsiConsole.Write(table);
        foreach (var (reason, count) in report.Quarantined) Console.WriteLine($"held back, {reason}: {count}");
        Console.WriteLine($"{report.Files} of {files} files written.");
    }
}
