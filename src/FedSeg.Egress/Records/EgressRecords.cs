using System.Globalization;
using System.Text;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Review;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Records;

/// <summary>
/// The gate's ledger entries: which facts each of them holds. Every value is an id, a digest, a number or a word of the gate's own; none comes out of a file.
/// </summary>
internal sealed class EgressRecords(EgressOptions options)
{
    public const string Requested = "egressRequested";
    public const string Decided = "egressDecided";
    public const string Sent = "egressSent";
    public const string Failed = "egressFailed";
    public const string Discarded = "egressDiscarded";
    public const string NoticeCleared = "noticeCleared";
    public const string NoticeRefused = "noticeRefused";
    public const string NoticeSent = "noticeSent";
    public const string NoticeFailed = "noticeFailed";

    public const string Update = "update";
    public const string Norm = "norm";
    public const string PayloadBytes = "payloadBytes";
    public const string Run = "run";
    public const string Decision = "decision";
    public const string ApprovedDecision = "approved";

    /// <summary>What wants to leave, and what every rule found.</summary>
    public Dictionary<string, string> Request(RoundPlan plan, EgressPolicy? policy, SealingFacts? facts, SealedUpdate? update, PolicyReport report)
    {
        var entry = About(plan.Run, plan.Round);
        entry["task"] = Word(plan.Task);
        entry["plan"] = Sha256Digest.Of(plan.ToBytes()).ToString();
        entry["baseModel"] = plan.BaseModel.ToString();
        entry["policy"] = policy?.Hash.ToString() ?? "none";
        foreach (var rule in report.Rules)
        {
            entry["rule." + Word(rule.Rule)] = $"{(rule.Passed ? "passed" : "failed")}: {rule.Measured} (allowed: {rule.Limit})";
        }

        if (facts is not null)
        {
            entry["trainingCases"] = Number(facts.TrainingCases);
            entry["heldBackCases"] = Number(facts.HeldBackCases);
        }

        if (update is null) return entry;
        entry[Update] = update.Digest.ToString();
        entry["reportSha256"] = Sha256Digest.Of(update.ReportBytes.Span).ToString();
        entry["reportBytes"] = Number(update.ReportBytes.Length);
        if (update.Payload is not { } payload) return entry;
        entry["payloadSha256"] = payload.Sha256.ToString();
        entry[PayloadBytes] = Number(payload.Bytes);
        if (facts?.Norm is { } norm) entry[Norm] = norm.ToString("R", CultureInfo.InvariantCulture);
        entry["manifest"] = ManifestHash(plan).ToString();
        return entry;
    }

    public Dictionary<string, string> Decide(RoundPlan plan, SealedUpdate? update, EgressDecision decision)
    {
        var entry = About(plan.Run, plan.Round);
        if (update is not null) entry[Update] = update.Digest.ToString();
        (entry[Decision], entry["by"]) = decision switch
        {
            EgressDecision.Approved approved => (ApprovedDecision, approved.By),
            EgressDecision.Refused refused => ("refused", refused.By),
            _ => throw new InvalidOperationException($"Unknown decision {decision.GetType().Name}."),
        };
        return entry;
    }

    public Dictionary<string, string> Send(ClearedUpdate update, SendReceipt receipt) =>
        new(Closing(update)) { ["receipt"] = Word(receipt), [PayloadBytes] = Number(update.PayloadBytes) };

    public Dictionary<string, string> Fail(ClearedUpdate update, SendFailure failure) => new(Closing(update)) { ["code"] = Word(failure) };

    /// <summary>An approved update that will not be sent any more.</summary>
    public Dictionary<string, string> Discard(Sha256Digest update, RunId run, string why) =>
        new() { ["site"] = options.Site.ToString(), [Run] = run.ToString(), [Update] = update.ToString(), ["why"] = why };

    public Dictionary<string, string> Note(OutcomeNotice notice) => new(About(notice.Run, notice.Round)) { ["reason"] = Word(notice.Reason) };

    public Dictionary<string, string> Note(OutcomeNotice notice, SendFailure failure) => new(Note(notice)) { ["code"] = Word(failure) };

    private Dictionary<string, string> Closing(ClearedUpdate update) => new(About(update.Run, update.Round)) { [Update] = update.Digest.ToString() };

    private Dictionary<string, string> About(RunId run, int round) => new(StringComparer.Ordinal)
    {
        ["site"] = options.Site.ToString(),
        ["recipient"] = options.Recipient,
        [Run] = run.ToString(),
        ["round"] = Number(round),
    };

    /// <summary>SHA-256 over one line per declared tensor: name and shape.</summary>
    private static Sha256Digest ManifestHash(RoundPlan plan) =>
        Sha256Digest.Of(Encoding.UTF8.GetBytes(string.Concat(plan.UpdateManifest().All.Tensors.Select(tensor => tensor + "\n"))));

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Word<T>(T value)
        where T : struct, Enum =>
        Enum.IsDefined(value) ? char.ToLowerInvariant(value.ToString()[0]) + value.ToString()[1..] : throw new ArgumentOutOfRangeException(nameof(value), value, "Not a known code.");
}
