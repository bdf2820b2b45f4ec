using System.Globalization;
using FedSeg.Federation.Rounds;

namespace FedSeg.Desk.Wording;

/// <summary>One number of a report: as the trainer measured it, and as it leaves.</summary>
/// <param name="What">In plain words.</param>
/// <param name="Measured">Before rounding, in full.</param>
/// <param name="Leaves">Exactly as it travels, or that it does not.</param>
internal sealed record ReportRow(string What, string Measured, string Leaves)
{
    public const string Stays = "does not leave";
}

/// <summary>A report's numbers for somebody who decides about them.</summary>
internal static class ReportRows
{
    private const string NotMeasured = "not measured";

    public static IReadOnlyList<ReportRow> Of(SiteReport measured, SiteReport leaves) =>
    [
        new("Cases trained on", Text(measured.TrainingCases), Text(leaves.TrainingCases)),
        new("Cases held back and scored", Text(measured.HeldBackCases), Text(leaves.HeldBackCases)),
        new("Studies used", Text(measured.Cohort) ?? NotMeasured, Text(leaves.Cohort) ?? ReportRow.Stays),
        new("Training steps", Text(measured.Steps), Text(leaves.Steps)),
        new("Training error (loss)", Text(measured.MeanLoss) ?? NotMeasured, Text(leaves.MeanLoss) ?? ReportRow.Stays),
        .. (measured.Scores.IsDefault ? [] : measured.Scores).SelectMany(score => Of(score, leaves.Scores.FirstOrDefault(sent => sent.Label == score.Label))),
    ];

    private static IEnumerable<ReportRow> Of(LabelScore measured, LabelScore? leaves) =>
    [
        new($"Overlap with the doctors' outline, mean (Dice): {measured.Label}", Text(measured.MeanDice) ?? NotMeasured, Text(leaves?.MeanDice) ?? ReportRow.Stays),
        new($"Cases behind it: {measured.Label}", Text(measured.Cases), leaves is null ? ReportRow.Stays : Text(leaves.Cases) + (leaves.Cases < measured.Cases ? " (left out)" : "")),
    ];

    private static string? Text(CohortUse? cohort) => cohort is null ? null : $"{cohort.Used} of {cohort.Found} found";

    private static string? Text(double? value) => value?.ToString("R", CultureInfo.InvariantCulture);

    private static string Text(int count) => count.ToString(CultureInfo.InvariantCulture);
}
