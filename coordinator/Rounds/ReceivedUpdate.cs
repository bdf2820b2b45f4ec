using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// The announced part of an update, after checks that never trust the wire: it exists only if the report fits the open round, the size fits the plan and the site's
/// key signed it. <see cref="CheckWeights"/> does the same for the weights once they have arrived.
/// </summary>
internal sealed class ReceivedUpdate
{
    private ReceivedUpdate(UploadAnnouncement announced, SiteReport report, RoundPlan plan)
    {
        Announced = announced;
        Report = report;
        Plan = plan;
    }

    public UploadAnnouncement Announced { get; }

    public SiteReport Report { get; }

    public RoundPlan Plan { get; }

    /// <summary>Checks an announcement against the round that is open.</summary>
    /// <returns>The update to receive, or why not.</returns>
    public static (ReceivedUpdate? Update, UploadOutcome Outcome) Check(UploadAnnouncement announced, RoundPlan plan, ECDsa siteKey, long maximumBytes)
    {
        SiteReport report;
        try
        {
            report = SiteReport.FromBytes(announced.Report);
        }
        catch (JsonException)
        {
            return (null, UploadOutcome.ReportRefused);
        }

        if (report.Run != plan.Run) return (null, UploadOutcome.WrongRun);
        if (report.Round != plan.Round) return (null, UploadOutcome.WrongRound);
        if (report.BaseModel != plan.BaseModel) return (null, UploadOutcome.WrongBase);
        if (!Fits(report, announced, plan)) return (null, UploadOutcome.ReportRefused);

        if (announced.PayloadBytes != plan.UpdateBytes() || announced.PayloadBytes > maximumBytes) return (null, UploadOutcome.TooLarge);
        if ((announced.PayloadBytes > 0) != (announced.Payload is not null)) return (null, UploadOutcome.ReportRefused);

        var signed = announced.Digest == SealedDigest.Of(announced.Report, announced.Payload)
            && siteKey.VerifyHash(announced.Digest.ToBytes(), announced.Signature);
        return signed ? (new ReceivedUpdate(announced, report, plan), UploadOutcome.Accepted) : (null, UploadOutcome.SignatureRefused);
    }

    /// <summary>Checks weights whose bytes are the announced ones: exact tensors in the plan's encoding, finite values. Reads the file in chunks.</summary>
    public UploadOutcome CheckWeights(string path)
    {
        // Every masked word is possible; its site's own gate has seen the plain ones.
        if (Plan.Blind is not null) return UploadOutcome.Accepted;
        try
        {
            using var file = UpdateFile.Open(path, Plan.UpdateManifest().All, Plan.Recipe.UpdateEncoding);
            return AllFinite(file) ? UploadOutcome.Accepted : UploadOutcome.NotFinite;
        }
        catch (SafetensorsException)
        {
            return UploadOutcome.TensorsRefused;
        }
    }

    private static bool Fits(SiteReport report, UploadAnnouncement announced, RoundPlan plan) =>
        report.Site == announced.Site
        && report.Task == plan.Task
        && report.Plan == Sha256Digest.Of(plan.ToBytes())
        && report.TrainingCases is >= 0 and <= 10_000_000
        && report.HeldBackCases is >= 0 and <= 10_000_000
        && report.Cohort is null or { Used: >= 0, Found: <= 10_000_000 } && !(report.Cohort?.Used > report.Cohort?.Found)
        && report.Steps >= 0
        && (plan.Task != RoundTask.Train || (report.TrainingCases >= plan.MinimumCases && plan.Recipe.Allows(report.Steps)))
        && LossFits(report, plan)
        && FingerprintFits(report, plan)
        && report.Scores.All(score => score is not null)
        && report.Scores.DistinctBy(score => score.Label).Count() == report.Scores.Length
        && report.Scores.All(score => plan.Labels.Contains(score.Label) && score.MeanDice is null or (>= 0 and <= 1) && score.Cases is >= 0 and <= 10_000_000);

    /// <summary>A strategy that weighs by losses could merge no round with one that is missing or impossible.</summary>
    private static bool LossFits(SiteReport report, RoundPlan plan) => plan.Task == RoundTask.Train && plan.Recipe.Privacy is null
        ? report.MeanLoss is >= SiteReport.LeastLoss and <= SiteReport.LargestLoss
        : report.MeanLoss is null;

    private static bool FingerprintFits(SiteReport report, RoundPlan plan) => plan.Task == RoundTask.Fingerprint
        ? report.Fingerprint is { } fingerprint
            && fingerprint.Problem() is null
            && fingerprint.LeastCases >= plan.Planning!.LeastCases
            && fingerprint.Modality == plan.Preprocessing.Modality
            && fingerprint.Labels.SequenceEqual(plan.Labels)
        : report.Fingerprint is null;

    private static bool AllFinite(UpdateFile file)
    {
        var buffer = ArrayPool<float>.Shared.Rent(1 << 16);
        try
        {
            for (var start = 0L; start < file.Length; start += buffer.Length)
            {
                var values = buffer.AsSpan(0, (int)Math.Min(buffer.Length, file.Length - start));
                file.Read(start, values);
                if (FiniteValues.IndexOfNonFinite(values) >= 0) return false;
            }

            return true;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }
}

/// <summary>What a site announces before the weights; nothing in it has been checked but its form.</summary>
/// <param name="Site">From the client certificate.</param>
/// <param name="Report">The report's exact bytes.</param>
/// <param name="Payload">SHA-256 of the weights file; absent for an evaluation.</param>
/// <param name="PayloadBytes">Its length.</param>
/// <param name="Digest">The seal over report and weights.</param>
/// <param name="Signature">The site's signature over the seal.</param>
internal sealed record UploadAnnouncement(SiteId Site, byte[] Report, Sha256Digest? Payload, long PayloadBytes, Sha256Digest Digest, byte[] Signature);
