using System.Globalization;
using FedSeg.Egress.Policy;
using FedSeg.Federation.Charters;

namespace FedSeg.Cli.Studies.Records;

/// <summary>What protects patients in a study, as far as program, policy and charter say so.</summary>
internal static class Measures
{
    public static IEnumerable<RecordText> Of(StudyFacts facts)
    {
        yield return "The process that reads images has no part in the network's traffic; the one that sends accepts only bytes that the gate sealed, checked and wrote into the ledger.";
        yield return "Connections use TLS 1.3 with certificates of the federation on both sides, and each update is signed above it.";
        yield return "The ledger is append-only, hash-chained and signed; the coordinator signs its state too, so neither side can rewrite it alone.";
        yield return "A kill switch at the hospital stops training and sending within a second, without a network; two people lift it.";
        if (facts.Charter is { } charter)
        {
            yield return CharterExplanation.Of(charter.Mode);
            if (charter.FourEyes) yield return "Two different people of the hospital accept the charter, approve runs, let updates leave when a person is asked, and agree to changes of the hospital's policy.";
        }

        if (facts.Policy is not { } policy)
        {
            yield return RecordText.Gap("the hospital's bounds on what leaves; the policy file is missing or wrong");
            yield break;
        }

        yield return OfReview(policy);
        yield return Text($"An update needs at least {policy.MinimumTrainingCases} cases that were trained on, a score at least {policy.MinimumHeldBackCases}; counts below {policy.MinimumReportedCount} are not told. A report tells at most {policy.MaximumMetrics} losses and scores, with three digits; counts of held-back cases and studies are rounded to fives.");
        yield return Text($"An update is at most {policy.MaximumUpdateBytes:N0} bytes long and changes the model by at most {policy.MaximumNorm} (L2 norm).");
        yield return policy.MaximumImageSimilarity is { } similarity
            ? Text($"An update that looks like an image it was trained on (cosine above {similarity}) does not leave.")
            : "Whether an update looks like an image it was trained on is not bounded.";
        var budgets = policy.TightenedBy(facts.Charter).Budgets;
        if (budgets.IsEmpty) yield return "No differential privacy is asked for: what single patients contribute is averaged, not hidden.";
        foreach (var budget in budgets)
        {
            yield return Text($"Differential privacy: all runs together may cost a patient of '{budget.Cohort}' at most ε = {budget.MaximumEpsilon} at δ = {budget.Delta:0.############}.");
        }

        if (policy.RunsWithoutCharter) yield return "The policy lets runs go whose study never had a charter here.";
    }

    private static string OfReview(EgressPolicy policy) => policy.Review switch
    {
        ReviewMode.EveryRound => $"A person of the hospital decides about everything that wants to leave{(policy.Approvals == 2 ? "; two have to agree" : "")}.",
        ReviewMode.FirstRound => $"A person of the hospital decides about what a run wants to send first{(policy.Approvals == 2 ? "; two have to agree" : "")}; what passes every rule follows.",
        _ => "What passes every rule of the policy leaves without a person's decision.",
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
