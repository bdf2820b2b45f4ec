using System.Globalization;
using FedSeg.Federation.Identity;
using FedSeg.Ledger.Storage;

namespace FedSeg.Desk.Wording;

/// <summary>What an entry of the ledger says, in words.</summary>
internal static class EntryWords
{
    /// <summary>Whether the history lists it: decisions and their effects, not every message.</summary>
    public static bool IsDecision(LedgerEntry entry) =>
        entry.Action is "egressDecided" or "egressSent" or "egressDiscarded" or "egressMasked" or "blindAborted" or "reviewApproved" or "orderRefused" or "localSignIn" or "planDecided" or "planApprovedOnce" or "planOutsideCharter" or "planUnproven" or "roundRefused" or "patientWithdrawn" or "studyLeft" or "authorityFollowed"
        || entry.Action.StartsWith("site", StringComparison.Ordinal) || entry.Action.StartsWith("policy", StringComparison.Ordinal) || entry.Action.StartsWith("halt", StringComparison.Ordinal)
        || entry.Action.StartsWith("charter", StringComparison.Ordinal);

    public static string Title(LedgerEntry entry) => entry.Action switch
    {
        "egressRequested" => "an update was sealed and checked",
        "reviewRequested" => "an update was put before the desk",
        "reviewApproved" => "one of two people approved",
        "egressDecided" => Fact(entry, "decision") == "approved" ? "an update was approved" : "an update was refused",
        "egressSent" => Fact(entry, "receipt") == "accepted" ? "an update left and was accepted" : "an update left and was not accepted",
        "egressFailed" => "sending failed",
        "egressDiscarded" => "an update was deleted",
        "egressMasked" => "an approved update was masked",
        "blindStepCleared" => "a message of a blind exchange may leave",
        "blindStepRefused" => "a message of a blind exchange was held back",
        "blindAborted" => "this hospital ended its part in a blind exchange",
        "noticeCleared" => "a message may leave",
        "noticeSent" => "a message left",
        "noticeRefused" => "a message was held back",
        "noticeFailed" => "a message could not be sent",
        "sitePaused" => "the site was paused",
        "siteResumed" => "the pause was ended",
        "siteHalted" => "the kill switch was thrown",
        "haltLiftAsked" => "one of two people asked to lift the kill switch",
        "haltLifted" => "the kill switch was lifted",
        "localSignIn" => "an account of this site was used instead of the hospital's sign-in",
        "authorityFollowed" => "somebody at this machine accepted a successor of the federation's authority",
        "orderRefused" => "an order could not be carried out",
        "policyRequested" => "the policy file was changed; two people have to agree",
        "policyApprovedOnce" => "one of two people agreed to a changed policy",
        "policyAdopted" => "a policy holds from now on",
        "policyRefused" => "a changed policy was refused",
        "policyWithdrawn" => "a changed policy was taken back",
        "charterImported" => "a study's charter was brought here",
        "charterAcceptedOnce" => "one of two people accepted a study's charter",
        "charterAccepted" => "a study's charter was accepted",
        "charterDeclined" => "a study's charter was declined",
        "planOutsideCharter" => "a run was left out that no charter covers",
        "planUnproven" => "a plan was refused that the coordinator has not signed, or not for now",
        "planSignedAgain" => "a plan that waits was signed anew",
        "roundOrdered" => "a round was begun, as the coordinator ordered",
        "roundRefused" => "a round was not answered a second time",
        "patientWithdrawn" => "a patient withdrew and is left out from now on",
        "studyLeft" => "this hospital left a study",
        "planRequested" => "a run asked to train here",
        "planApprovedOnce" => "one of two people approved a run",
        "planWithdrawn" => "a run needs no decision any more",
        "planDecided" => Fact(entry, "decision") == "approved" ? "a run may train here" : "a run may not train here",
        var other => other,
    };

    /// <summary>Which run and round, and why.</summary>
    public static string About(LedgerEntry entry)
    {
        var parts = new List<string>();
        if (Fact(entry, "run") is { } run) parts.Add(run + (Fact(entry, "round") is { } round ? $", round {round}" : ""));
        if (Fact(entry, "version") is { } version) parts.Add($"study {Fact(entry, "study")}, version {version}");
        else if (Fact(entry, "study") is { } study) parts.Add($"study {study}");
        if ((Fact(entry, "why") ?? Fact(entry, "reason")) is { } why) parts.Add(why);
        if (Fact(entry, "signedBy") is { } signer)
        {
            parts.Add($"signed with the coordinator's certificate {Sha256Digest.Parse(signer).Abbreviated}… until {Words.Of(DateTimeOffset.Parse(Fact(entry, "signedUntil")!, CultureInfo.InvariantCulture))}");
        }

        if (Fact(entry, "nextRounds") is { } next && next != "0") parts.Add($"and the next {next} rounds");
        return string.Join("; ", parts);
    }

    public static string By(LedgerEntry entry) => Fact(entry, "by") ?? "";

    /// <summary>Whether a search for a text finds it; everything matches no text.</summary>
    public static bool Matches(LedgerEntry entry, string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return true;
        var wanted = text.Trim();
        return entry.Seq.ToString(CultureInfo.InvariantCulture) == wanted
            || entry.Action.Contains(wanted, StringComparison.OrdinalIgnoreCase)
            || Title(entry).Contains(wanted, StringComparison.OrdinalIgnoreCase)
            || entry.Facts.Values.Any(value => value.Contains(wanted, StringComparison.OrdinalIgnoreCase));
    }

    private static string? Fact(LedgerEntry entry, string name) => entry.Facts.GetValueOrDefault(name);
}
