using FedSeg.Egress.Policy;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Privacy.Budget;

namespace FedSeg.Egress.Budget;

/// <summary>Charges a training update before its approval is written, for gate and desk alike.</summary>
internal static class ReleaseCharge
{
    /// <summary>Charges what the policy wants charged.</summary>
    /// <returns>The budget as it stands then, or why the update may not leave; neither where the policy sets no budget, or nothing was trained.</returns>
    public static (BudgetReading? Reading, string? Refusal) Charge(
        CohortBudget budget, EgressPolicy policy, RoundTask task, Sha256Digest update, RunId run, int round, PrivacySpent? privacy)
    {
        if (policy.PrivacyBudget is not { } allowed || task != RoundTask.Train) return (null, null);
        if (privacy is null) return (null, "it was trained without differential privacy");
        if (budget.Read(allowed, privacy) is not { } reading) return (null, "the record of the privacy budget can't be read");
        return budget.Charge(allowed, update, run, round, privacy) is ChargeOutcome.Charged
            ? (reading, null)
            : (null, "the cohort's privacy budget does not allow it");
    }
}
