using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FedSeg.Cli.Demo;
using FedSeg.Cli.Engine;
using FedSeg.Cli.Imaging;
using FedSeg.Cli.Programs;
using FedSeg.Dicom;
using FedSeg.Federation;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Planning;
using FedSeg.Imaging.Cases;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Cli.Experiments;

/// <summary><c>fedseg experiment</c>: the table of results, ways of training side by side on the same patients, in one process.</summary>
internal static class ExperimentCommand
{
    private static readonly Option<DirectoryInfo> Data = new("--data") { Description = "DIR/<site>/<case>/… with DICOM files.", Required = true };
    private static readonly Option<string?> Arms = new("--arms") { Description = "Some of: " + ExperimentArm.Names + "; all when not given." };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds of every federation.", DefaultValueFactory = _ => 20 };
    private static readonly Option<int> Steps = new("--steps") { Description = "Optimiser steps per site and round.", DefaultValueFactory = _ => 50 };
    private static readonly Option<long> Seed =
        new("--seed") { Description = "Seeds the split by patient, the first weights and every draw but the private arm's and the rounding of encoded changes.", DefaultValueFactory = _ => 1 };
    private static readonly Option<FileInfo?> Output = new("--out") { Description = "Write the table there too, as Markdown with date, build and machine. Rows are kept beside it as they are finished; the same command goes on where it was stopped." };

    public static Command Create() => new Command("experiment", "Compare pooled, local and federated training on the same held-back patients.")
    {
        Data, LocalJob.Option, Arms, Rounds, Steps, Seed, Output, Htj2kSwitch.Option, DeviceSwitch.Option,
    }.Computes(RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var arms = ExperimentArm.Choose(parsed.GetValue(Arms));
        var limits = Htj2kSwitch.Limits(parsed);
        var data = DemoData.Survey(parsed.GetRequiredValue(Data).FullName, limits, cancellationToken);
        var job = JobOf(parsed, data, limits);
        var device = DeviceSwitch.Choose(parsed);
        CpuKernels.ChooseFor(job.Architecture);
        var finished = parsed.GetValue(Output) is { } table ? FinishedArms.Beside(table.FullName, Settings(job, parsed)) : null;
        var vocabulary = LabelVocabulary.Of(job.Labels);
        var cohorts = data.Sites.ToDictionary(site => SiteId.Parse(site.Key), site => Cohort.Read(
            site.Value, vocabulary, job.Preprocessing, job.HeldBackFraction, job.Seed, Environment.ProcessorCount, reportPath: null,
            cancellationToken, limits));
        foreach (var (site, cohort) in cohorts) Say($"{site}: {cohort.Training.Length} cases to train on, {cohort.HeldBack.Length} held back");

        var work = Directory.CreateTempSubdirectory("fedseg-experiment-");
        try
        {
            var experiment = new Experiment(job, cohorts, work.FullName, device, time);
            var rows = new List<ExperimentRow>();
            foreach (var arm in arms)
            {
                if (finished?.Of(arm.Name) is not { } made)
                {
                    made = await LocalEngine.OnOwnThread(() => experiment.Run(arm, Say, cancellationToken));
                    finished?.Add(arm.Name, made);
                    foreach (var row in made) Say($"{row.Title}: mean Dice {row.MeanDice:F3} in {row.Took.TotalSeconds:F0} s");
                }

                rows.AddRange(made);
            }

            var report = Report(job, rows, parsed, time);
            if (parsed.GetValue(Output) is { } file) await File.WriteAllTextAsync(file.FullName, report, cancellationToken);
            if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(Document(rows));
            else Console.Write(report);
            return CommandLine.Done;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    private static JobSpec JobOf(ParseResult parsed, DemoData data, DicomLimits limits)
    {
        var (rounds, steps) = (parsed.GetValue(Rounds), parsed.GetValue(Steps));
        if (rounds is < 1 or > 10_000 || steps is < 1 or > 1_000_000) throw new BadInputException("--rounds must be from 1 to 10000, --steps from 1 to 1000000.");
        var job = parsed.GetValue(LocalJob.Option) is { } file
            ? LocalJob.Read(file, data, limits)
            : DemoRecipe.Parse(DemoRecipe.Propose("experiment", data, rounds, steps));
        return job with
        {
            Sites = [.. data.Sites.Keys.Select(site => SiteId.Parse(site)).Order()],
            Rounds = rounds,
            Recipe = job.Recipe with { StepsPerRound = steps },
            Seed = (ulong)parsed.GetValue(Seed),
        };
    }

    private static string Build { get; } =
        typeof(ExperimentCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>All that a row depends on.</summary>
    private static string Settings(JobSpec job, ParseResult parsed) => string.Create(
        CultureInfo.InvariantCulture,
        $"{parsed.GetRequiredValue(Data).FullName} {JsonSerializer.Serialize(job, FederationJson.Options)} "
        + $"device {parsed.GetRequiredValue(DeviceSwitch.Option)} threads {Environment.ProcessorCount} build {Build}"
        + $"{(parsed.GetValue(Htj2kSwitch.Option) ? " htj2k" : "")}");

    private static object Document(IEnumerable<ExperimentRow> rows) => new
    {
        rows = rows.Select(row => new
        {
            title = row.Title,
            meanDice = row.MeanDice,
            patients = row.Patients,
            updateBytes = row.UpdateBytes,
            seconds = row.Took.TotalSeconds,
            enough = row.Enough is { } enough
                ? new { meanDice = FirstEnough.MeanDice, rounds = enough.Rounds, seconds = enough.Trained.TotalSeconds }
                : null,
            labels = row.Labels.Select(label => new
            {
                label = label.Label,
                meanDice = label.MeanDice,
                ciLow = label.Interval.Low,
                ciHigh = label.Interval.High,
                meanHd95 = label.MeanHd95,
                cases = label.Cases,
            }),
        }),
    };

    /// <summary>The table, and what one needs to make it again.</summary>
    private static string Report(JobSpec job, IReadOnlyList<ExperimentRow> rows, ParseResult parsed, TimeProvider time)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# Results: {parsed.GetRequiredValue(Data).Name}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-dd}, build {Build}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores, device {parsed.GetRequiredValue(DeviceSwitch.Option)}. {job.Sites.Length} sites, {job.Rounds} rounds of {job.Recipe.StepsPerRound} steps a site, batch {job.Recipe.BatchSize}, {job.Recipe.Optimizer} at {job.Recipe.LearningRate}, augmentation {job.Recipe.Augmentation}, {job.HeldBackFraction:P0} of each site's patients held back, seed {job.Seed}. Dice: mean over held-back cases, in brackets the 95 % bootstrap interval over patients; HD95 in mm.").AppendLine();
        text.Append("| training | mean Dice |");
        foreach (var label in job.Labels) text.Append(CultureInfo.InvariantCulture, $" {label} Dice | {label} HD95 |");
        text.AppendLine(" patients | MB an update | minutes |");
        text.Append("|---|---|").Insert(text.Length, "---|---|", job.Labels.Length).AppendLine("---|---|---|");
        foreach (var row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.Title} | {row.MeanDice:F3} |");
            foreach (var label in row.Labels) text.Append(CultureInfo.InvariantCulture, $" {label.MeanDice:F3} ({label.Interval.Low:F3} to {label.Interval.High:F3}) | {label.MeanHd95:F2} |");
            text.AppendLine(CultureInfo.InvariantCulture, $" {row.Patients} | {(row.UpdateBytes is { } bytes ? (bytes / 1e6).ToString("F2", CultureInfo.InvariantCulture) : "-")} | {row.Took.TotalMinutes:F1} |");
        }

        foreach (var row in rows.Where(row => row.Enough is not null)) text.AppendLine().AppendLine(Sentence(row.Title, row.Enough!));
        return text.ToString();
    }

    private static string Sentence(string title, FirstEnough enough) => string.Create(
        CultureInfo.InvariantCulture,
        $"{title} first had a mean Dice of {FirstEnough.MeanDice} after {enough.Rounds} rounds and {enough.Trained.TotalMinutes:F1} minutes "
        + $"of training, all sites one after the other.");

    private static void Say(string line) => Console.Error.WriteLine(line);
}
