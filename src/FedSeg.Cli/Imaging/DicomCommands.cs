using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Dicom.Pixels;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Volumes;
using Spectre.Console;

namespace FedSeg.Cli.Imaging;

/// <summary><c>fedseg dicom</c>: what the files of a hospital say, and what can be made of them.</summary>
internal static class DicomCommands
{
    public static Command Create() => new("dicom", "Look at DICOM files and folders, and de-identify them.") { Dump(), Scan(), DeidentifyCommand.Create() };

    private static Command Dump()
    {
        var file = new Argument<FileInfo>("file") { Description = "One DICOM file." };
        return new Command("dump", "One file: how its pixels are stored, and their digest.") { file }.Does((parsed, _) =>
        {
            var path = parsed.GetRequiredValue(file);
            if (!path.Exists) throw new BadInputException($"There is no file '{path.FullName}'.");
            var summary = FileSummary.Of(path.FullName);
            var result = new
            {
                transferSyntax = summary.TransferSyntax,
                sopClass = summary.SopClass,
                modality = summary.Modality,
                rows = summary.Layout.Rows,
                columns = summary.Layout.Columns,
                frames = summary.Layout.Frames,
                bitsAllocated = summary.Layout.BitsAllocated,
                bitsStored = summary.Layout.BitsStored,
                pixelRepresentation = summary.Layout.IsSigned ? 1 : 0,
                photometric = summary.Layout.Photometric,
                pixelSha256 = summary.PixelSha256,
                min = summary.Min,
                max = summary.Max,
            };
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(result);
            else foreach (var property in result.GetType().GetProperties()) Console.WriteLine($"{property.Name,-20} {property.GetValue(result)}");
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static Command Scan()
    {
        var directory = new Argument<DirectoryInfo>("dir") { Description = "A folder of DICOM files, in any names and sub-folders." };
        return new Command("scan", "Every series and what can be made of it.") { directory }.Does((parsed, cancellationToken) =>
        {
            var folder = parsed.GetRequiredValue(directory);
            if (!folder.Exists) throw new BadInputException($"There is no folder '{folder.FullName}'.");
            var scan = DicomScan.Of(folder.FullName, cancellationToken: cancellationToken);
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(new { series = scan.Series.Select(Describe), quarantined = scan.Quarantined.Select(problem => new { file = problem.Path, reason = $"{problem.Reason}: {problem.Detail}" }) });
            else Print(scan);
            return Task.FromResult(CommandLine.Done);
        });
    }

    private static object Describe(ScannedSeries series) => new
    {
        uid = series.Uid,
        modality = series.Modality,
        files = series.Files,
        usable = series.Usable,
        reason = series.Reason,
        shape = series.Grid is { Size: var size } ? new[] { size.X, size.Y, size.Z } : null,
        spacingMm = series.Grid is { SpacingMm: var spacing } ? new[] { spacing.X, spacing.Y, spacing.Z } : null,
        orientation = series.Orientation,
        segmentations = series.Segmentations,
    };

    private static void Print(DicomScan scan)
    {
        var table = new Table().AddColumns("series", "modality", "files", "shape x, y, z", "spacing mm", "orientation", "segmentations", "usable");
        foreach (var series in scan.Series)
        {
            table.AddRow(
                series.Uid,
                series.Modality,
                series.Files.ToString(),
                series.Grid is { Size: var size } ? $"{size.X}, {size.Y}, {size.Z}" : "-",
                series.Grid is { SpacingMm: var spacing } ? $"{spacing.X:0.###}, {spacing.Y:0.###}, {spacing.Z:0.###}" : "-",
                series.Orientation ?? "-",
                series.Segmentations.Count.ToString(),
                Markup.Escape(series.Usable ? "yes" : series.Reason ?? "no"));
        }

        AnsiConsole.Write(table);
        foreach (var problem in scan.Quarantined) Console.WriteLine($"{problem.Path}: {problem.Reason}: {problem.Detail}");
    }
}
