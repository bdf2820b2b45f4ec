using FedSeg.Federation.Identity;
using FedSeg.Hosting.Storage;
using FedSeg.Privacy.Accounting;
using FedSeg.Privacy.Budget;
using FedSeg.Testing;

namespace FedSeg.Privacy.Tests.Budget;

/// <summary>Invariant I3: nothing leaves without a durable charge, and the budget holds over runs, restarts and crashes.</summary>
public sealed class BudgetLedgerTests : IDisposable
{
    private static readonly PrivacyBudget Budget = new("hippocampus", 3, 1e-5);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Charge_WithinTheBudget_IsOnTheDisk()
    {
        var outcome = Assert.IsType<ChargeOutcome.Charged>(Open().Charge(Round(1)));

        Assert.Equal(outcome.Spent, Open().Spent);
        Assert.Equal(Round(1), Assert.Single(Open().Charges));
        Assert.Equal(new RdpAccountant().Add(Round(1).Mechanism).Epsilon(Budget.Delta).Epsilon, outcome.Spent);
    }

    [Fact]
    public void Charge_BeyondTheBudget_IsRefusedAndCostsNothing()
    {
        var ledger = Open();
        var round = 1;
        while (ledger.Charge(Round(round)) is ChargeOutcome.Charged) round++;

        var refused = Assert.IsType<ChargeOutcome.Refused>(ledger.Charge(Round(round)));
        Assert.InRange(refused.Spent, 0.5 * Budget.MaximumEpsilon, Budget.MaximumEpsilon);
        Assert.True(refused.WouldBe > Budget.MaximumEpsilon);
        Assert.Equal(round - 1, Open().Charges.Length);
        Assert.Equal(ledger.Spent, Open().Spent);
        Assert.IsType<ChargeOutcome.Refused>(Open().Charge(Round(round)));
    }

    [Fact]
    public void Charge_OtherRunOverTheSamePatients_DrawsOnTheSameBudget()
    {
        var ledger = Open();
        ledger.Charge(Round(1, "run-a"));
        var before = ledger.Spent;

        ledger.Charge(Round(1, "run-b"));

        Assert.True(ledger.Spent > before);
        // Rényi accounting: two releases cost less than twice one.
        Assert.True(ledger.Spent < 2 * before);
    }

    [Fact]
    public void Charge_SameReleaseAgain_IsChargedOnce()
    {
        Open().Charge(Round(1));

        var again = Assert.IsType<ChargeOutcome.Charged>(Open().Charge(Round(1)));

        Assert.Single(Open().Charges);
        Assert.Equal(Open().Spent, again.Spent);
    }

    [Fact]
    public void Charge_WithoutNoise_NeverFitsABudget() =>
        Assert.Equal(double.PositiveInfinity, Assert.IsType<ChargeOutcome.Refused>(Open().Charge(Round(1) with { Mechanism = new SampledGaussian(.1, 0, 1) })).WouldBe);

    [Fact]
    public void Charge_BudgetLoweredBelowWhatIsSpent_IsRefused()
    {
        Open().Charge(Round(1));

        Assert.IsType<ChargeOutcome.Refused>(BudgetLedger.Open(Budget with { MaximumEpsilon = 0.01 }, Stored(), Persist).Charge(Round(2)));
    }

    /// <summary>
    /// shared/reference/privacy.md 1.2, row 21, made of steps of several noises: 50 / 10² + 2 / 2² = 1. Rényi accounting alone says 4.729.
    /// </summary>
    [Fact]
    public void Spent_EverybodyInEveryStep_IsTheExactGaussian()
    {
        var ledger = BudgetLedger.Open(Budget with { MaximumEpsilon = 4.4 }, Stored(), Persist);
        ledger.Charge(Round(1) with { Mechanism = new SampledGaussian(1, 10, 30) });
        ledger.Charge(Round(2) with { Mechanism = new SampledGaussian(1, 2, 2) });

        Assert.Equal(4.3771780957, ledger.SpentAfter(new SampledGaussian(1, 10, 20)), 1e-8);
        var outcome = Assert.IsType<ChargeOutcome.Charged>(ledger.Charge(Round(3) with { Mechanism = new SampledGaussian(1, 10, 20) }));
        Assert.Equal(4.3771780957, outcome.Spent, 1e-8);
    }

    /// <summary>One sampled step among them, and the exact mechanism says nothing about the whole.</summary>
    [Fact]
    public void Spent_SampledStepsAmongThem_IsRenyiAccounting()
    {
        SampledGaussian everybody = new(1, 2, 2), sampled = new(.02, 1.5, 50);
        var ledger = BudgetLedger.Open(Budget with { MaximumEpsilon = 100 }, Stored(), Persist);
        ledger.Charge(Round(1) with { Mechanism = everybody });
        ledger.Charge(Round(2) with { Mechanism = sampled });

        Assert.Equal(new RdpAccountant().Add(everybody).Add(sampled).Epsilon(Budget.Delta).Epsilon, ledger.Spent);
    }

    /// <summary>The process dies anywhere in a charge: before the write, in the middle of it, after it but before the answer.</summary>
    [Theory]
    [InlineData(CrashPoint.BeforeTheWrite, 1)]
    [InlineData(CrashPoint.HalfWritten, 1)]
    [InlineData(CrashPoint.AfterTheWrite, 2)]
    public void Charge_CrashInTheMiddle_NeverLosesAnAcknowledgedChargeNorAnswersUncertainly(CrashPoint point, int chargesAfterwards)
    {
        Open().Charge(Round(1));
        var crashing = BudgetLedger.Open(Budget, Stored(), bytes => Crash(point, bytes));

        Assert.Throws<IOException>(() => crashing.Charge(Round(2)));
        Assert.Throws<InvalidOperationException>(() => crashing.Charge(Round(3)));

        var reopened = Open();
        Assert.Equal(chargesAfterwards, reopened.Charges.Length);
        Assert.Contains(reopened.Charges, charge => charge == Round(1));
        // The same release goes on after the restart, charged once whatever happened.
        Assert.IsType<ChargeOutcome.Charged>(reopened.Charge(Round(2)));
        Assert.Equal(2, Open().Charges.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"cohort":"hippocampus"}""")]
    [InlineData("""{"cohort":"hippocampus","charges":[{}]}""")]
    [InlineData("""{"cohort":"kidneys","charges":[]}""")]
    [InlineData("""{"cohort":"hippocampus","charges":[{"release":"0000000000000000000000000000000000000000000000000000000000000000","run":"run-a","round":1,"mechanism":{"samplingRate":0.1,"noiseMultiplier":1},"at":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"cohort":"hippocampus","charges":[{"release":"0000000000000000000000000000000000000000000000000000000000000000","run":"run-a","round":1,"mechanism":{"samplingRate":1.5,"noiseMultiplier":1,"steps":1},"at":"2026-01-01T00:00:00Z"}]}""")]
    public void Open_StoredIsNotThisLedger_IsRefusedInsteadOfStartingAnew(string stored) =>
        Assert.Throws<InvalidDataException>(() => BudgetLedger.Open(Budget, System.Text.Encoding.UTF8.GetBytes(stored), Persist));

    public enum CrashPoint
    {
        BeforeTheWrite,
        HalfWritten,
        AfterTheWrite,
    }

    private void Crash(CrashPoint point, byte[] bytes)
    {
        if (point == CrashPoint.HalfWritten) File.WriteAllBytes(BudgetPath + ".new", bytes[..(bytes.Length / 2)]);
        if (point == CrashPoint.AfterTheWrite) Persist(bytes);
        throw new IOException("The power went.");
    }

    private string BudgetPath => _folder["budget.json"];

    private BudgetLedger Open() => BudgetLedger.Open(Budget, Stored(), Persist);

    private byte[]? Stored() => File.Exists(BudgetPath) ? File.ReadAllBytes(BudgetPath) : null;

    private void Persist(byte[] bytes) => DurableFile.Write(BudgetPath, bytes);

    private static PrivacyCharge Round(int round, string run = "run-a") =>
        new(Sha256Digest.Of(System.Text.Encoding.UTF8.GetBytes($"{run} {round}")), RunId.Parse(run), round, new SampledGaussian(.02, 1.5, 50), new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
}
