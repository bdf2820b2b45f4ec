using FedSeg.Protocol.V1;
using Spectre.Console;

namespace FedSeg.Cli.Jobs;

/// <summary>A run as people and scripts see it.</summary>
internal static class RunView
{
    /// <summary>Mean over labels of the pooled held-back Dice: every site's mean weighted by its cases.</summary>
    /// <param name="round">A round whose sites have reported.</param>
    /// <returns>The mean; <see langword="null"/> when nobody reported scores.</returns>
    public static double? MeanDice(Round round)
    {
        var labels = LabelDice(round);
        return labels.Count == 0 ? null : labels.Values.Average();
    }

    /// <summary>Per label, the mean Dice over all held-back cases of all sites that reported.</summary>
    public static IReadOnlyDictionary<string, double> LabelDice(Round round) => round.Sites
        .SelectMany(site => site.Scores)
        .Where(score => score is { HasMeanDice: true, Cases: > 0 })
        .GroupBy(score => score.Label)
        .ToDictionary(label => label.Key, label => label.Sum(score => score.MeanDice * score.Cases) / label.Sum(score => score.Cases));

    /// <summary>A site's mean over labels; <see langword="null"/> when it reported none.</summary>
    public static double? MeanDice(SiteResult site)
    {
        var scores = site.Scores.Where(score => score.HasMeanDice).ToList();
        return scores.Count == 0 ? null : scores.Average(score => score.MeanDice);
    }

    public static double Seconds(Round round, DateTimeOffset now) =>
        ((round.ClosedAt?.ToDateTimeOffset() ?? now) - round.OpenedAt.ToDateTimeOffset()).TotalSeconds;

    /// <summary>The rounds of a run as a table; Dice in a round's row is that of the model the round started from.</summary>
    public static Table Table(Run run, DateTimeOffset now)
    {
        var table = new Table().Border(TableBorder.Rounded).Title(Markup.Escape($"{run.Id}  {run.Status}{(
            run.Mode == "blind" ? ", blind" : "")}{(run.Study.Length > 0 ? $", study {run.Study}" : "")}")).Caption("Dice: the model each round starts from, on held-back patients");
        table.AddColumn("round").AddColumn(new TableColumn("seconds").RightAligned()).AddColumn(new TableColumn("Dice").RightAligned());
        foreach (var site in run.Sites) table.AddColumn($"{site}: loss, Dice, studies");
        foreach (var round in run.Rounds)
        {
            table.AddRow([
                Name(run, round),
                Seconds(round, now).ToString("F1"),
                Format(MeanDice(round)),
                .. round.Sites.Select(Describe)]);
        }

        return table;
    }

    /// <summary>One finished round in a line, for logs and pipes.</summary>
    public static string Line(Run run, Round round, DateTimeOffset now) =>
        $"{Name(run, round)}  {Seconds(round, now):F1} s  Dice {Format(MeanDice(round))}  "
        + string.Join("  ", round.Sites.Select(site => $"{site.Site}: {Describe(site)}"));

    private static string Name(Run run, Round round) => round.Task switch
    {
        "evaluate" => "final",
        "fingerprint" => "fingerprints",
        _ => $"round {round.Number}/{run.TotalRounds}",
    };

    public static string Format(double? value) => value?.ToString("F3") ?? "-";

    /// <summary>Left out where the site's policy keeps the count to itself.</summary>
    private static string Studies(SiteResult site) => site.HasUsedStudies ? $", used {site.UsedStudies} of {site.FoundStudies}" : "";

    private static string Describe(SiteResult site) => site.State switch
    {
        "accepted" => $"{(site.HasMeanLoss ? site.MeanLoss.ToString("F3") : "-")}, {Format(MeanDice(site))}{Studies(site)}",
        "dropped" => $"dropped: {site.Reason}",
        "queued" => $"queued, {site.Reason}",
        _ => site.State,
    };
}
