using FedSeg.Federation.Identity;
using FedSeg.Privacy.Accounting;

namespace FedSeg.Privacy.Budget;

/// <summary>What may be learnt about one patient of a cohort, over all runs and studies together. The hospital sets it.</summary>
/// <param name="Cohort">The hospital's name of the patients concerned; every job that touches them draws on the same budget.</param>
/// <param name="MaximumEpsilon">ε that is never exceeded; above 0.</param>
/// <param name="Delta">δ at which ε is counted; well below 1 / patients.</param>
public sealed record PrivacyBudget(string Cohort, double MaximumEpsilon, double Delta);

/// <summary>One release and what was done to the patients' data for it.</summary>
/// <param name="Release">SHA-256 of what leaves. The same bytes twice tell nothing new, so a release is charged once.</param>
/// <param name="Run">The run it is for.</param>
/// <param name="Round">Its round.</param>
/// <param name="Mechanism">The sampled, noised steps that were really made.</param>
/// <param name="At">When it was charged, UTC.</param>
public sealed record PrivacyCharge(Sha256Digest Release, RunId Run, int Round, SampledGaussian Mechanism, DateTimeOffset At);

/// <summary>What became of a charge.</summary>
public abstract record ChargeOutcome
{
    private ChargeOutcome() { }

    /// <summary>The charge is on the disk; the release may leave.</summary>
    /// <param name="Spent">ε spent, this release included.</param>
    public sealed record Charged(double Spent) : ChargeOutcome;

    /// <summary>The budget does not allow it; nothing was charged and nothing may leave.</summary>
    /// <param name="Spent">ε spent so far.</param>
    /// <param name="WouldBe">ε that it would have come to.</param>
    public sealed record Refused(double Spent, double WouldBe) : ChargeOutcome;
}
