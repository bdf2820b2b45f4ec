using System.Collections.Immutable;
using FedSeg.Egress.Policy;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Privacy.Budget;

namespace FedSeg.Egress.Budget;

/// <summary>Charges a training update before its approval is written, for gate and desk alike.</summary>
internal static class ReleaseCharge
{
    /// <summary>
    /// Charges what policy and charter want charged, each to its own budget. All have to allow it before any is charged; a crash in between costs budget and no privacy.
    /// </summary>
    /// <returns>The budgets as they stand then, or why the update may not leave; neither where none is set, or nothing was trained.</returns>
    public static (ImmutableArray<BudgetReading> Readings, string? Refusal) Charge(
        CohortBudget budget, EgressPolicy policy, RoundTask task, Sha256Digest update, RunId run, int round, PrivacySpent? privacy)
    {
        if (policy.Budgets.IsEmpty || task != RoundTask.Train) return ([], null);
        if (privacy is null) return ([], "it was trained without differential privacy");
        var readings = policy.Budgets.Select(allowed => budget.Read(allowed, privacy)).OfType<BudgetReading>().ToImmutableArray();
        if (readings.Length < policy.Budgets.Length) return ([], "the record of the privacy budget can't be read, or lacks releases that the ledger has");
        // Written so that NaN is too much.
        if (readings.FirstOrDefault(reading => !(reading.After <= reading.MaximumEpsilon)) is { } spent) return ([], $"the privacy budget of {spent.Cohort} does not allow it");
        foreach (var allowed in policy.Budgets)
        {
            if (budget.Charge(allowed, update, run, round, privacy) is not ChargeOutcome.Charged) return ([], $"the privacy budget of {allowed.Cohort} does not allow it");
        }

        return (readings, null);
    }
}
