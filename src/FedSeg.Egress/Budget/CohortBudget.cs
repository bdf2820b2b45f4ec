using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;
using FedSeg.Hosting.Storage;
using FedSeg.Privacy.Accounting;
using FedSeg.Privacy.Budget;

namespace FedSeg.Egress.Budget;

/// <summary>
/// The privacy budgets of a site: its cohort's, over all runs and jobs on the same patients, and one for each study whose charter sets one. Charged on the disk before
/// anything leaves. Whoever asks holds the site's turn.
/// </summary>
/// <param name="deskDirectory">The desk's folder.</param>
/// <param name="charged">
/// The releases that were charged to a cohort as the ledger knows it: a record that lacks one of them is not the record, and an empty one would grant the budget anew.
/// </param>
/// <param name="time">Stamps charges.</param>
public sealed class CohortBudget(string deskDirectory, Func<string, IReadOnlyCollection<Sha256Digest>> charged, TimeProvider time)
{
    private readonly string _directory = DurableFile.CreateDirectory(Path.Combine(deskDirectory, "budgets"));

    /// <summary>
    /// What is spent, and what would be with one more release; <see langword="null"/> when the record can't be read or is not whole, so that nothing may be charged.
    /// </summary>
    public BudgetReading? Read(PrivacyBudget budget, PrivacySpent? next)
    {
        try
        {
            var ledger = Open(budget);
            return new BudgetReading(budget.Cohort, budget.MaximumEpsilon, budget.Delta, ledger.Spent, next is null ? null : ledger.SpentAfter(Mechanism(next)));
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            return null;
        }
    }

    /// <summary>Charges a release. On the disk when this returns <see cref="ChargeOutcome.Charged"/>; charged once, however often it is asked for.</summary>
    /// <exception cref="IOException">The disk refused: nothing may leave.</exception>
    /// <exception cref="InvalidDataException">The record can't be read or is not whole: nothing may leave.</exception>
    internal ChargeOutcome Charge(PrivacyBudget budget, Sha256Digest release, RunId run, int round, PrivacySpent spent) =>
        Open(budget).Charge(new PrivacyCharge(release, run, round, Mechanism(spent), time.GetUtcNow()));

    private static SampledGaussian Mechanism(PrivacySpent spent) => new(spent.SamplingRate, spent.NoiseMultiplier, spent.Steps);

    private BudgetLedger Open(PrivacyBudget budget)
    {
        var path = Path.Combine(_directory, budget.Cohort + ".json");
        var ledger = BudgetLedger.Open(budget, File.Exists(path) ? File.ReadAllBytes(path) : null, bytes => DurableFile.Write(path, bytes));
        var missing = charged(budget.Cohort).Except(ledger.Charges.Select(charge => charge.Release)).Count();
        return missing == 0 ? ledger : throw new InvalidDataException($"The privacy budget of {budget.Cohort} lacks {missing} releases that the ledger says were charged to it.");
    }
}

/// <summary>A privacy budget at a moment.</summary>
/// <param name="Cohort">The hospital's name of the patients concerned, or <c>study-</c> and a study's.</param>
/// <param name="MaximumEpsilon">ε that is never exceeded.</param>
/// <param name="Delta">δ at which it is counted.</param>
/// <param name="Spent">ε spent over all runs.</param>
/// <param name="After">ε with the release in question; <see langword="null"/> where it is not a private one.</param>
public sealed record BudgetReading(string Cohort, double MaximumEpsilon, double Delta, double Spent, double? After);
