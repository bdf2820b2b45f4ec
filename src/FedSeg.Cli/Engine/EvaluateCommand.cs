using System.CommandLine;
using FedSeg.Cli.Imaging;
using FedSeg.Cli.Programs;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Preprocessing;
using Spectre.Console;

namespace FedSeg.Cli.Engine;

/// <summary><c>fedseg evaluate</c>: a model scored on every labelled case below a data folder.</summary>
internal static class EvaluateCommand
{
    private static readonly Option<DirectoryInfo> Data = new("--data")
    {
        Description = "DIR/<site>/<case>/… with DICOM files.",
        Required = true,
    };

    private static readonly Option<FileInfo?> HeldBack = new("--held-back")
    {
        Description = "A run's split at the site that --data is of, splits/RUN.json in its agent's data folder (state/RUN/split.json while "
            + "the run lasts): score only the patients whom that run held back.",
    };

    private static readonly Option<bool> Quality = new("--quality")
    {
        Description = "Let each model, or each mirror image of an only one, segment every case by itself, and say whether their agreement finds the bad cases.",
    };

    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "Seeds the bootstrap's draws.",
        DefaultValueFactory = _ => 1,
    };

    public static Command Create() => new Command("evaluate", "Score a model on labelled cases.")
    {
        ModelSwitches.Models, Data, HeldBack, ModelSwitches.Mirror, Quality, ModelSwitches.PostProcessing, Seed, Htj2kSwitch.Option,
        DeviceSwitch.Option,
    }.Computes(RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var folder = parsed.GetRequiredValue(Data);
        if (parsed.GetValue(Quality) && parsed.GetRequiredValue(ModelSwitches.Models).Length == 1 && !parsed.GetValue(ModelSwitches.Mirror))
        {
            throw new BadInputException("--quality needs several opinions: give more than one --model, or --mirror.");
        }

        var output = parsed.GetValue(ModelSwitches.PostProcessing) is null ? null : OutputFile.PathOf(parsed, ModelSwitches.PostProcessing!);
        if (!folder.Exists) throw new BadInputException($"There is no data folder '{folder.FullName}'.");
        var heldBack = HeldBackIn(parsed.GetValue(HeldBack), folder);
        using var predictor = ModelSwitches.Open(parsed);
        Func<string, bool>? isLeftOut = heldBack is null ? null : key => !heldBack.Contains(key);
        var report = await LocalEngine.OnOwnThread(() => CohortEvaluation.Run(
            predictor, folder.FullName, parsed.GetValue(Quality), Htj2kSwitch.Limits(parsed), Note, cancellationToken, isLeftOut));
        if (report.Cases.Count == 0 && heldBack is not null)
        {
            throw new BadInputException(
                $"--held-back {parsed.GetValue(HeldBack)!.FullName} holds back none of the patients of '{folder.FullName}' who could be "
                + $"scored ({report.LeftOut} cases of other patients, {report.Refused.Count} refused); "
                + "name the split of a run at this very site.");
        }

        if (report.Cases.Count == 0)
        {
            throw new BadInputException(
                $"'{folder.FullName}' has no labelled case of the model's modality and labels ({report.Refused.Count} refused); "
                + $"expected {folder.FullName}/<site>/<case>/… with images and their segmentation.");
        }

        var summaries = report.Summarise(predictor.Model.Labels, parsed.GetValue(Seed));
        var decision = PostProcessingDecision.Of(await ModelSwitches.DigestsAsync(parsed, cancellationToken), predictor.Model.Labels, report.Cases);
        if (output is not null) decision.Write(output);
        if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(Document(report, summaries, decision));
        else Print(summaries, report, decision);
        return CommandLine.Done;
    }

    /// <summary>The keys of the patients whom a run held back at the only site of the data.</summary>
    /// <exception cref="BadInputException">There is no such file, or it can't be meant for these data.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or no split.</exception>
    private static IReadOnlySet<string>? HeldBackIn(FileInfo? split, DirectoryInfo data)
    {
        if (split is null) return null;
        if (!split.Exists) throw new BadInputException($"There is no split '{split.FullName}'.");
        var sites = data.GetDirectories().Select(site => site.Name).Order(StringComparer.Ordinal).ToList();
        // A patient's key is unique at its site only: another hospital's patient of the same number may have been trained on.
        return sites.Count == 1
            ? new RunSplit(split.FullName).Known()
            : throw new BadInputException(
                $"--held-back is the split of one site, and '{data.FullName}' has {sites.Count} ({string.Join(", ", sites.Take(4))}); give "
                + "a folder that has this site's folder alone.");
    }

    private static void Note(EvaluatedCase scored) =>
        Console.Error.WriteLine($"{scored.Site}/{scored.Case}: mean Dice {scored.MeanDice:F3}");

    private static object Document(CohortEvaluation report, IReadOnlyList<LabelSummary> summaries, PostProcessingDecision decision) => new
    {
        cases = report.Cases.Select(scored => new
        {
            @case = scored.Case,
            site = scored.Site,
            quality = scored.Agreement?.Score,
            labels = scored.Labels.Zip(summaries, (metrics, summary) => new
            {
                label = summary.Label,
                dice = metrics.Dice,
                iou = metrics.Iou,
                hd95 = metrics.Hd95,
                assd = metrics.Assd,
                volumeSimilarity = metrics.VolumeSimilarity,
                emptiness = metrics.Emptiness,
            }),
        }),
        summary = summaries.ToDictionary(summary => summary.Label, summary => new
        {
            meanDice = summary.MeanDice,
            ciLow = summary.Interval.Low,
            ciHigh = summary.Interval.High,
            meanHd95 = summary.MeanHd95,
            cases = summary.Cases,
        }),
        quality = report.RiskCoverage() is { } curve
            ? new { aurc = curve.Aurc, optimal = curve.Optimal, random = curve.Random, excess = curve.Excess, normalised = curve.Normalised }
            : null,
        keepLargest = KeepLargest(decision),
        processedDice = decision.Labels.ToDictionary(label => label.Label, label => label.ProcessedDice),
        leftOut = report.LeftOut,
        refused = report.Refused.Select(refused => new { @case = refused.Case, site = refused.Site, reason = refused.Reason }),
    };

    /// <summary>What to give to <c>predict --keep-largest</c>.</summary>
    private static List<string> KeepLargest(PostProcessingDecision decision) =>
        [.. decision.WholeForeground ? ["all"] : Array.Empty<string>(), .. decision.Labels.Where(label => label.KeepLargest).Select(label => label.Label)];

    private static void Print(IReadOnlyList<LabelSummary> summaries, CohortEvaluation report, PostProcessingDecision decision)
    {
        var table = new Table().AddColumns("label", "mean Dice", "95 % interval over patients", "mean HD95 mm", "cases");
        foreach (var summary in summaries)
        {
            table.AddRow(
                Markup.Escape(summary.Label),
                $"{summary.MeanDice:F3}",
                $"{summary.Interval.Low:F3} to {summary.Interval.High:F3}",
                $"{summary.MeanHd95:F2}",
                $"{summary.Cases}");
        }

        AnsiConsole.Write(table);
        var keep = KeepLargest(decision);
        Console.WriteLine(keep.Count == 0 ? "Keeping only the largest piece helps no label." : $"Keeping only the largest piece helps: --keep-largest {string.Join(' ', keep)}");
        foreach (var label in decision.Labels.Where(label => label.ProcessedDice != label.Dice)) Console.WriteLine($"{label.Label}: mean Dice {label.Dice:F3}, then {label.ProcessedDice:F3}");
        if (report.RiskCoverage() is { } curve)
        {
            Console.WriteLine($"Agreement as a sign of quality: AURC {curve.Aurc:F4} (optimal {curve.Optimal:F4}, at random {curve.Random:F4})");
        }

        if (report.LeftOut > 0) Console.WriteLine($"{report.LeftOut} cases of patients who were not held back: left out");
        foreach (var refused in report.Refused) Console.WriteLine($"{refused.Site}/{refused.Case}: refused, {refused.Reason}");
    }
}
