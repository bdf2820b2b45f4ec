using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Review;
using FedSeg.Egress.Studies;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Ledger.Verifier;

namespace FedSeg.Cli.Studies.Records;

/// <summary>All that the records are written from: a site's charter, policy, ledger and plans of a study. Whatever is not in it is a gap.</summary>
internal sealed record StudyFacts
{
    public required SiteSettings Site { get; init; }

    public required StudyHistory History { get; init; }

    /// <summary>The study's charter; <see langword="null"/> when there is none or its file is gone.</summary>
    public required StudyCharter? Charter { get; init; }

    /// <summary>The policy file as it stands; <see langword="null"/> when it is missing or wrong.</summary>
    public required EgressPolicy? Policy { get; init; }

    /// <summary>The terms of its runs that are still to be read.</summary>
    public required ImmutableArray<RoundPlan> Plans { get; init; }

    /// <summary>Different patients that rounds of its runs trained on or tried the model on, by the records kept here; <see langword="null"/> when there are none.</summary>
    public required int? Patients { get; init; }

    public required int Withdrawn { get; init; }

    /// <summary>What an independent reading of the whole ledger found.</summary>
    public required Verdict Ledger { get; init; }

    public required DateTimeOffset WrittenAt { get; init; }

    /// <param name="site">The site.</param>
    /// <param name="study">The study.</param>
    /// <param name="ledger">Of the site's ledger, found whole.</param>
    /// <param name="time">Stamps the records.</param>
    /// <exception cref="InvalidDataException">Nothing is known of the study.</exception>
    public static StudyFacts Read(SiteSettings site, StudyId study, Verdict ledger, TimeProvider time)
    {
        var desk = new DeskClient(site.DataDirectory, time);
        var history = StudyHistory.Read(study, desk.Ledger()!);
        if (history.Entries.IsEmpty) throw new InvalidDataException($"The ledger of {site.Site} knows no study '{study}'.");
        var uses = history.Runs.SelectMany(run => run.Rounds.Select(round => desk.Patients.Find(run.Run, round))).OfType<Federation.Training.PatientUse>().ToList();
        return new StudyFacts
        {
            Site = site,
            History = history,
            Charter = history.Charter is { } known ? desk.Charters.Find(known.Charter)?.Charter : null,
            Policy = desk.PolicyInForce(site.PolicyPath).Policy,
            Plans = [.. history.Runs.SelectMany(run => run.Terms).Select(desk.Plans.Find).OfType<RoundPlan>()],
            Patients = uses.Count == 0 ? null : uses.SelectMany(use => use.Trained.Concat(use.Scored)).Distinct().Count(),
            Withdrawn = desk.Ask(book => book.Withdrawn.Count),
            Ledger = ledger,
            WrittenAt = time.GetUtcNow(),
        };
    }

    /// <summary>What heads every record: of what, from what, when.</summary>
    public RecordSection Source() => new(
        "What this is written from",
        new RecordBlock.Paragraph(
            $"Written on {Day(WrittenAt)} by the program from the charter, the egress policy and the ledger of {Site.Site}. Beside what the program itself does it says nothing that is not in them; what they do not hold is marked to be filled in. It is no legal advice."),
        RecordBlock.Table.OfFacts(
            ("Study", History.Study.ToString()),
            ("Charter", History.Charter is { } known ? $"version {known.Version}, SHA-256 {known.Charter}, {StateOf(known)}" : RecordText.Gap("no charter of the study is known here")),
            ("Egress policy", Policy is { } policy ? $"SHA-256 {policy.Hash}" : RecordText.Gap("the policy file is missing or wrong; nothing leaves")),
            ("Ledger", $"{Ledger.Entries} entries, whole, root {Ledger.RootHash}{(Ledger.CosignedSize > 0 ? $", cosigned up to {Ledger.CosignedSize}" : "")}")));

    public static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} bytes");

    /// <summary>The runs and what left in each, from the ledger.</summary>
    public RecordBlock RunTable() => History.Runs.IsEmpty
        ? new RecordBlock.Paragraph("No run of the study has asked to train here.")
        : new RecordBlock.Table(
            ["Run", "Rounds of which something left", "Weights that left", "From, to", "Refused", "Decided by"],
            [.. History.Runs.Select(run => ImmutableArray.Create<RecordText>(
                run.Run.ToString(),
                run.Rounds.IsEmpty ? "none" : string.Join(", ", run.Rounds),
                Bytes(run.Bytes),
                run.Left is { } left ? $"{Day(left.First)} to {Day(left.Last)}" : "nothing left",
                run.Refused.ToString(CultureInfo.InvariantCulture),
                run.People.IsEmpty ? "standing approvals of the policy" : string.Join(", ", run.People)))]);

    private string StateOf(SiteCharter known) => known.State switch
    {
        _ when History.HasLeft => "the hospital has left the study",
        CharterState.Accepted => $"accepted by {known.By} on {Day(known.At!.Value)}",
        CharterState.Declined => $"declined by {known.By} on {Day(known.At!.Value)}",
        CharterState.Replaced => "replaced",
        _ => "not decided about",
    };
}
