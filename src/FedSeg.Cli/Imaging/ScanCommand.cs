using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Volumes;
using Spectre.Console;

namespace FedSeg.Cli.Imaging;

/// <summary><c>fedseg dicom scan</c>: every series and every file of a folder, usable or the reason why not, from headers alone.</summary>
internal static class ScanCommand
{
    public static Command Create()
    {
        var directory = new Argument<DirectoryInfo>("dir") { Description = "A folder of DICOM files, in any names and sub-folders." };
        var switches = new SeriesSwitches();
        var command = new Command("scan", "Every series and what can be made of it.") { directory };
        switches.AddTo(command);
        command.Options.Add(Htj2kSwitch.Option);
        return command.Does((parsed, cancellationToken) =>
        {
            var folder = parsed.GetRequiredValue(directory);
            if (!folder.Exists) throw new BadInputException($"There is no folder '{folder.FullName}'.");
            var options = switches.Of(parsed);
            var scan = FileProgressBar.Show(
                "Reading headers", progress => DicomScan.Of(folder.FullName, Htj2kSwitch.Limits(parsed), options, progress, cancellationToken));
            if (parsed.GetValue(CommandLine.Json))
            {
                JsonOutput.Write(new
                {
                    series = scan.Series.Select(Describe),
                    quarantined = scan.Quarantined.Select(problem => new { file = problem.Path, reason = $"{problem.Reason}: "
                        + $"{problem.Detail}" }),
                });
            }
            else
            {
                Print(scan);
            }

            return Task.FromResult(CommandLine.Done);
        });
    }

    private static object Describe(ScannedSeries series) => new
    {
        uid = series.Uid,
        stack = series.Stack,
        modality = series.Modality,
        files = series.Files,
        usable = series.Usable,
        // Every key is always there: a script need not ask first.
        reason = series.Reason ?? "",
        shape = series.Grid is { Size: var size } ? new[] { size.X, size.Y, size.Z } : [],
        spacingMm = series.Grid is { SpacingMm: var spacing } ? new[] { spacing.X, spacing.Y, spacing.Z } : [],
        filledSlices = series.FilledSlices,
        orientation = series.Orientation ?? "",
        segmentations = series.Segmentations,
    };

    private static void Print(DicomScan scan)
    {
        var table = new Table()
            .AddColumns("series", "modality", "files", "shape x, y, z", "spacing mm", "orientation", "segmentations", "usable");
        foreach (var series in scan.Series)
        {
            table.AddRow(
                Markup.Escape(series.Stack is null ? series.Uid : $"{series.Uid} ({series.Stack})"),
                Markup.Escape(series.Modality),
                series.Files.ToString(),
                series.Grid is { Size: var size } ? $"{size.X}, {size.Y}, {size.Z}" : "-",
                series.Grid is { SpacingMm: var spacing } ? $"{spacing.X:0.###}, {spacing.Y:0.###}, {spacing.Z:0.###}" : "-",
                series.Orientation ?? "-",
                series.Segmentations.Count.ToString(),
                Markup.Escape(series.Usable ? Verdict(series) : series.Reason ?? "no"));
        }

        AnsiConsole.Write(table);
        // The detail says which file it is about.
        foreach (var problem in scan.Quarantined) Console.WriteLine($"{problem.Reason}: {problem.Detail}");
    }

    private static string Verdict(ScannedSeries series) => series.FilledSlices == 0 ? "yes" : $"yes, {series.FilledSlices} missing "
        + "slices filled";
}
