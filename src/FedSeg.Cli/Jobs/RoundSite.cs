using FedSeg.Protocol.V1;

namespace FedSeg.Cli.Jobs;

/// <summary>What a site did in a round, as JSON shows it.</summary>
internal sealed record RoundSite(string State, string? Reason, int TrainingCases, int HeldBackCases, int? UsedStudies, int? FoundStudies, double? Loss, double? MeanDice, IReadOnlyDictionary<string, double> Dice, long Bytes, string? Digest)
{
    public static RoundSite Of(SiteResult site) => new(
        site.State,
        site.Reason.Length > 0 ? site.Reason : null,
        site.TrainingCases,
        site.HeldBackCases,
        site.HasUsedStudies ? site.UsedStudies : null,
        site.HasFoundStudies ? site.FoundStudies : null,
        site.HasMeanLoss ? site.MeanLoss : null,
        RunView.MeanDice(site),
        site.Scores.Where(score => score.HasMeanDice).ToDictionary(score => score.Label, score => score.MeanDice),
        site.Bytes,
        site.Digest.Length > 0 ? site.Digest : null);
}
