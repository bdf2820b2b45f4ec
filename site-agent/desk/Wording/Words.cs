using System.Globalization;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Rounds;

namespace FedSeg.Desk.Wording;

/// <summary>How numbers, times and codes are said to somebody who never saw a tensor.</summary>
internal static class Words
{
    private const double UsualMargin = 1.25;

    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("d MMM yyyy, HH:mm", CultureInfo.InvariantCulture);

    /// <summary>Who ordered a run's plan.</summary>
    public static string Of(PlanSigner signer) =>
        $"The coordinator has ordered and signed it, with its certificate {signer.Certificate.Abbreviated}…. The signature counts until {Of(signer.Until)}; as long as the run waits, the coordinator signs it anew.";

    public static string Of(DeskRole? role) => role switch
    {
        DeskRole.PrivacyOfficer => "privacy officer",
        DeskRole.SiteOperator => "site operator",
        DeskRole.Auditor => "auditor",
        _ => "",
    };

    /// <summary>Why somebody was not let in.</summary>
    public static string OfSignIn(string problem) => problem switch
    {
        "locked" => "Too many wrong passwords. This account waits for a quarter of an hour.",
        "provider" => "The hospital's sign-in did not work, or it was not begun here. Try again.",
        "away" => "The hospital's sign-in does not answer. An account of this desk lets you in meanwhile.",
        "role" => "Your hospital account has no role at this desk. Whoever runs the hospital's sign-in can put you into a group that has one.",
        "name" => "Your hospital account has no name that can be used here, or it was another person's before. Tell whoever runs the agent.",
        "old" => "The hospital's sign-in let you in without asking for your password again. Sign out there and try again.",
        _ => "No such account, or another password.",
    };

    /// <summary>What wants to leave.</summary>
    public static string Of(RoundTask task) => task switch
    {
        RoundTask.Train => "What this hospital's data changed in the shared model, and how well the model did here.",
        RoundTask.Fingerprint => "What the cohort's images are like, counted, so that a network can be planned: no model.",
        _ => "How well the finished model does here: scores, no model.",
    };

    public static string Of(RefusalReason reason) => reason switch
    {
        RefusalReason.OutsidePurpose => "It is not what the study was agreed for",
        RefusalReason.SuspiciousValues => "The numbers look wrong",
        RefusalReason.PrivacyRisk => "It would tell too much about patients",
        RefusalReason.CohortChanged => "A patient withdrew, or it is not the cohort agreed on",
        RefusalReason.Expired => "Nobody decided in time",
        _ => "Another reason",
    };

    /// <summary>Where a charter stands.</summary>
    public static string Of(SiteCharter charter, bool hasExpired) => charter.State switch
    {
        CharterState.Waiting when !charter.AcceptedBy.IsEmpty => $"Accepted by {charter.AcceptedBy[0].By}; it takes a second person",
        CharterState.Waiting => "Waits for this hospital's word",
        CharterState.Accepted when hasExpired => "Expired: nothing leaves for the study",
        CharterState.Accepted => $"Accepted by {charter.By} on {Of(charter.At!.Value)}",
        CharterState.Declined => $"Declined by {charter.By} on {Of(charter.At!.Value)}",
        _ => "Replaced by a later version",
    };

    public static string Number(double value) => value.ToString(value != 0 && Math.Abs(value) < 0.001 ? "0.0E0" : "G3", CultureInfo.InvariantCulture);

    /// <summary>A number far below 1, without an exponent.</summary>
    public static string Small(double value) => value.ToString("0.############", CultureInfo.InvariantCulture);

    /// <summary>ε, rounded up: never less than what is spent.</summary>
    public static string Epsilon(double epsilon) => (Math.Ceiling(epsilon * 100) / 100).ToString("F2", CultureInfo.InvariantCulture);

    /// <summary>Rounds in ascending order, those that follow each other as a range: 1 to 3, 5.</summary>
    public static string Rounds(IReadOnlyList<int> rounds)
    {
        if (rounds.Count == 0) return "none";
        var ranges = new List<(int First, int Last)>();
        foreach (var round in rounds)
        {
            if (ranges is [.., var open] && open.Last == round - 1) ranges[^1] = (open.First, round);
            else ranges.Add((round, round));
        }

        return string.Join(", ", ranges.Select(range => range.First == range.Last ? $"{range.First}" : $"{range.First} to {range.Last}"));
    }

    /// <summary>How many patients what leaves is about; a number below the site's k is not shown.</summary>
    public static string Patients(ReviewSummary summary) => summary.Patients switch
    {
        null => "Not recorded",
        var few when few < summary.MinimumReportedCount => $"Fewer than {summary.MinimumReportedCount}",
        { } count => count.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>What an encoding saves; nothing where it does not.</summary>
    public static string Saving(RoundPlan plan) =>
        plan.UpdateBytes() < plan.UpdateBytesInFloat32() ? $" instead of {Bytes(plan.UpdateBytesInFloat32())} in full" : "";

    /// <summary>A small chance as people say it: 1 in so many.</summary>
    public static string Chance(double probability) => string.Create(CultureInfo.InvariantCulture, $"1 in {Math.Round(1 / probability):N0}");

    public static string Exactly(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} bytes");

    public static string Bytes(long bytes) => bytes switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:F0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F1} GB"),
    };

    /// <summary>In a few words, how large a change is against those before it.</summary>
    public static string Comparison(double norm, IReadOnlyCollection<double> earlier)
    {
        if (earlier.Count == 0) return "First one";
        var (smallest, largest) = (earlier.Min(), earlier.Max());
        if (IsMuchLarger(norm, earlier)) return "Much larger";
        if (norm > UsualMargin * largest) return "Larger";
        if (norm < smallest / 2) return "Much smaller";
        return norm < smallest / UsualMargin ? "Smaller" : "As usual";
    }

    /// <summary>Whether it is more than twice the largest before it; the first one is not.</summary>
    public static bool IsMuchLarger(double norm, IReadOnlyCollection<double> earlier) => earlier.Count > 0 && norm > 2 * earlier.Max();

    /// <summary>The same with its numbers, in a sentence.</summary>
    public static string History(double norm, IReadOnlyCollection<double> earlier) => earlier.Count == 0
        ? $"The change has size {Number(norm)}. It is the first of this run, so there is nothing to compare it with."
        : $"The change has size {Number(norm)}; the last {earlier.Count} approved of this run had {Number(earlier.Min())} to {Number(earlier.Max())}. A change that is suddenly much larger can mean an error or an attempt to carry more out.";
}
