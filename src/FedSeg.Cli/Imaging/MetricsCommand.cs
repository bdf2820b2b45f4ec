using System.CommandLine;
using System.Globalization;
using FedSeg.Cli.Programs;
using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;
using Spectre.Console;

namespace FedSeg.Cli.Imaging;

/// <summary><c>fedseg metrics</c>: how well a predicted label map agrees with its reference, each definition under its own name.</summary>
internal static class MetricsCommand
{
    private static readonly Option<FileInfo> Reference = new("--reference") { Description = "The reference: NIfTI or DICOM SEG.", Required = true };
    private static readonly Option<FileInfo> Prediction = new("--prediction") { Description = "The prediction, on the same grid.", Required = true };
    private static readonly Option<string?> Spacing = new("--spacing") { Description = "Voxel size x,y,z in mm instead of the files' own." };
    private static readonly Option<double> Tolerance = new("--tolerance") { Description = "Tolerance of nsd and surfaceDice, mm.", DefaultValueFactory = _ => 1 };

    public static Command Create() =>
        new Command("metrics", "Compare a predicted label map with its reference.") { Reference, Prediction, Spacing, Tolerance }.Does(Run);

    private static Task<int> Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        var tolerance = parsed.GetValue(Tolerance);
        if (!double.IsFinite(tolerance) || tolerance < 0) throw new BadInputException($"--tolerance {tolerance} must be a length of at least 0 mm.");
        var spacing = parsed.GetValue(Spacing) is { } text ? ParseSpacing(text) : (Vector3D?)null;
        var pair = LabelMapPair.Read(Existing(parsed.GetRequiredValue(Reference)), Existing(parsed.GetRequiredValue(Prediction)), cancellationToken);
        if (spacing is { } given) pair = pair.WithSpacing(given);

        var labels = SegmentationMetrics.Compute(pair.Reference, pair.Prediction, new MetricsOptions { ToleranceMm = tolerance });
        if (parsed.GetValue(CommandLine.Json))
        {
            var used = pair.Reference.Grid.SpacingMm;
            JsonOutput.Write(new { labels, toleranceMm = tolerance, spacingMm = new[] { used.X, used.Y, used.Z } });
        }
        else
        {
            Print(labels);
        }

        return Task.FromResult(CommandLine.Done);
    }

    private static string Existing(FileInfo file) => file.Exists ? file.FullName : throw new BadInputException($"There is no file '{file.FullName}'.");

    private static Vector3D ParseSpacing(string text)
    {
        var lengths = text.Split(',')
            .Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var mm) && double.IsFinite(mm) && mm > 0 ? mm : 0)
            .ToArray();
        return lengths.Length == 3 && lengths.All(mm => mm > 0)
            ? new Vector3D(X: lengths[0], Y: lengths[1], Z: lengths[2])
            : throw new BadInputException($"--spacing {text} must be three lengths in mm above 0, such as 0.8,0.8,2.5.");
    }

    private static void Print(IReadOnlyList<LabelMetrics> labels)
    {
        var table = new Table().AddColumns("label", "dice", "iou", "hd mm", "hd95 mm", "assd mm", "masd mm", "nsd", "surface dice", "surface hd95 mm", "empty");
        foreach (var label in labels)
        {
            double[] values =
            [
                label.Dice, label.Iou, label.Hd, label.Hd95, label.Assd, label.Masd, label.Nsd, label.SurfaceDice, label.SurfaceHd95,
            ];
            table.AddRow(
            [
                label.Label.ToString(CultureInfo.InvariantCulture),
                .. values.Select(value => value.ToString("0.####", CultureInfo.InvariantCulture)),
                label.Emptiness == Emptiness.None ? "" : label.Emptiness.ToString(),
            ]);
        }

        AnsiConsole.Write(table);
    }
}
