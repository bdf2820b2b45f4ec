using FedSeg.Cli.Jobs;
using FedSeg.Ledger.Verifier;
using FedSeg.Protocol.V1;
using Spectre.Console;

namespace FedSeg.Cli.Demo;

/// <summary>What a demo shows at its end.</summary>
internal sealed record DemoResult(
    Run Run,
    IReadOnlyDictionary<string, LocalBaseline> Alone,
    IReadOnlyDictionary<string, Verdict> Ledgers,
    IReadOnlyDictionary<string, long> PeakMemoryBytes,
    string Work,
    string ModelPath,
    double Seconds)
{
    private Round Final => Run.Rounds.Last(round => round.Task == "evaluate");

    private IReadOnlyDictionary<string, double> LabelDice => RunView.LabelDice(Final);

    private double GlobalDice => LabelDice.Values.Average();

    private double MeanAlone => Alone.Values.Average(baseline => baseline.AllSites);

    private IReadOnlyDictionary<string, long> BytesSent =>
        Run.Sites.ToDictionary(site => site, site => Run.Rounds.SelectMany(round => round.Sites).Where(result => result.Site == site).Sum(result => result.Bytes));

    public object ToJson() => new
    {
        rounds = Run.Rounds.Where(round => round.Task == "train").Select(round => new
        {
            number = round.Number,
            seconds = RunView.Seconds(round, default),
            // Known when the next round's model, the one this round made, has been scored.
            meanDice = RunView.MeanDice(Run.Rounds[round.Number]),
            sites = round.Sites.ToDictionary(site => site.Site, site => RoundSite.Of(site) with { MeanDice = ScoreAfter(round, site.Site) }),
        }),
        finalDice = LabelDice,
        finalDiceBySite = Final.Sites.ToDictionary(site => site.Site, site => site.Scores.Where(score => score.HasMeanDice).ToDictionary(score => score.Label, score => score.MeanDice)),
        finalMeanDice = GlobalDice,
        localOnlyDice = Alone.ToDictionary(site => site.Key, site => site.Value.AllSites),
        localOnlyDiceOwnSite = Alone.ToDictionary(site => site.Key, site => site.Value.OwnSite),
        localOnlyMeanDice = MeanAlone,
        bytesSent = BytesSent,
        ledgerVerified = Ledgers.Values.All(ledger => ledger.Verified),
        ledgers = Ledgers.ToDictionary(ledger => ledger.Key, ledger => new { entries = ledger.Value.Entries, rootHash = ledger.Value.RootHash, verified = ledger.Value.Verified }),
        model = new { path = ModelPath, sha256 = Run.Model.Sha256, bytes = Run.Model.Bytes },
        run = Run.Id,
        work = Work,
        peakMemoryMb = PeakMemoryBytes.ToDictionary(process => process.Key, process => process.Value / 1048576.0),
        seconds = Seconds,
    };

    public void Print()
    {
        var table = new Table().Border(TableBorder.Rounded).Title("Dice on held-back patients");
        table.AddColumn("hospital");
        foreach (var label in Run.Labels) table.AddColumn(new TableColumn($"global: {Markup.Escape(label)}").RightAligned());
        table.AddColumn(new TableColumn("global: mean").RightAligned());
        table.AddColumn(new TableColumn("alone, own patients").RightAligned());
        table.AddColumn(new TableColumn("alone, all patients").RightAligned());
        table.AddColumn(new TableColumn("sent").RightAligned());
        foreach (var site in Final.Sites)
        {
            var scores = site.Scores.ToDictionary(score => score.Label);
            table.AddRow([
                site.Site,
                .. Run.Labels.Select(label => RunView.Format(scores.TryGetValue(label, out var score) && score.HasMeanDice ? score.MeanDice : null)),
                RunView.Format(RunView.MeanDice(site)),
                RunView.Format(Alone[site.Site].OwnSite),
                RunView.Format(Alone[site.Site].AllSites),
                $"{BytesSent[site.Site] / 1048576.0:F1} MiB"]);
        }

        table.AddRow([
            "[bold]all[/]",
            .. Run.Labels.Select(label => $"[bold]{RunView.Format(LabelDice.GetValueOrDefault(label))}[/]"),
            $"[bold]{RunView.Format(GlobalDice)}[/]",
            "",
            $"[bold]{RunView.Format(MeanAlone)}[/] (mean)",
            $"{BytesSent.Values.Sum() / 1048576.0:F1} MiB"]);
        AnsiConsole.Write(table);

        Console.WriteLine(GlobalDice > MeanAlone
            ? $"The global model beats the mean of the hospitals alone: {GlobalDice:F3} against {MeanAlone:F3}."
            : $"The global model does NOT beat the mean of the hospitals alone: {GlobalDice:F3} against {MeanAlone:F3}.");
        Console.WriteLine($"Model    {ModelPath}  (SHA-256 {Run.Model.Sha256})");
        foreach (var (site, ledger) in Ledgers)
        {
            Console.WriteLine($"Ledger   {Path.Combine(Work, "sites", site, "data", "ledger")}  ({ledger.Entries} entries, {(ledger.Verified ? "whole" : "BROKEN: " + ledger.Problem)})");
        }

        Console.WriteLine($"Logs     {Path.Combine(Work, "logs")}");
        Console.WriteLine($"Time     {Seconds:F0} s");
    }

    private double? ScoreAfter(Round round, string site) => RunView.MeanDice(Run.Rounds[round.Number].Sites.Single(result => result.Site == site));
}
