using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Privacy.Accounting;

namespace FedSeg.Privacy.Budget;

/// <summary>
/// The charges against one cohort's budget. A charge is on the disk before its outcome is known to anyone, so nothing leaves uncharged; the
/// other way round, a crash may leave a charge whose release never left, which costs budget and no privacy. ε is computed from all charges
/// each time, never kept as a running sum: charges don't add up in ε.
/// </summary>
public sealed class BudgetLedger
{
    /// <summary>A charge with a missing number must not be read as a smaller one.</summary>
    private static readonly JsonSerializerOptions Strict = new(FederationJson.Options)
    {
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    private readonly Lock _gate = new();
    private readonly PrivacyBudget _budget;
    private readonly Action<byte[]> _persist;
    private ImmutableArray<PrivacyCharge> _charges;
    private bool _uncertain;

    private BudgetLedger(PrivacyBudget budget, ImmutableArray<PrivacyCharge> charges, Action<byte[]> persist)
    {
        _budget = budget;
        _charges = charges;
        _persist = persist;
    }

    /// <summary>Opens the ledger of a cohort.</summary>
    /// <param name="budget">The budget as it stands now; lowering it below what is spent refuses everything further.</param>
    /// <param name="stored">
    /// What <paramref name="persist"/> stored last; <see langword="null"/> for a cohort that was never charged.
    /// </param>
    /// <param name="persist">
    /// Replaces what is stored, all or nothing, and returns when it is on the disk; <c>DurableFile.Write</c> to a path does.
    /// </param>
    /// <exception cref="InvalidDataException">
    /// What is stored is not a ledger of this cohort. Nothing may leave until a person has looked: an empty ledger would grant the budget
    /// anew.
    /// </exception>
    public static BudgetLedger Open(PrivacyBudget budget, byte[]? stored, Action<byte[]> persist)
    {
        if (!(budget.MaximumEpsilon > 0) || !(budget.Delta is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(budget), budget, "ε must be above 0 and δ between 0 and 1.");
        }

        return new BudgetLedger(budget, stored is null ? [] : Read(budget.Cohort, stored), persist);
    }

    /// <summary>Every charge, oldest first.</summary>
    public ImmutableArray<PrivacyCharge> Charges
    {
        get
        {
            lock (_gate) return _charges;
        }
    }

    /// <summary>ε spent so far, at the budget's δ.</summary>
    public double Spent => Epsilon(Charges);

    /// <summary>ε that one more mechanism would bring it to, at the budget's δ. Nothing is charged.</summary>
    public double SpentAfter(SampledGaussian mechanism) => Epsilon(Charges.Add(new PrivacyCharge(default, default, 0, mechanism, default)));

    /// <summary>Charges a release if the budget allows it. Durable when this returns <see cref="ChargeOutcome.Charged"/>.</summary>
    /// <exception cref="InvalidOperationException">
    /// An earlier charge could not be stored for certain; open the ledger anew from what is on the disk.
    /// </exception>
    public ChargeOutcome Charge(PrivacyCharge charge)
    {
        if (charge.Mechanism.Problem() is { } problem) throw new ArgumentException($"Impossible mechanism: {problem}.", nameof(charge));
        lock (_gate)
        {
            if (_uncertain) throw new InvalidOperationException("A charge may not have been stored; open the budget anew before anything leaves.");
            var spent = Epsilon(_charges);
            if (_charges.Any(known => known.Release == charge.Release)) return new ChargeOutcome.Charged(spent);

            var charges = _charges.Add(charge);
            var wouldBe = Epsilon(charges);
            if (!(wouldBe <= _budget.MaximumEpsilon)) return new ChargeOutcome.Refused(spent, wouldBe);

            // Until the disk has answered nobody knows whether the charge counts.
            _uncertain = true;
            _persist(JsonSerializer.SerializeToUtf8Bytes(new StoredCharges(_budget.Cohort, charges), Strict));
            _uncertain = false;
            _charges = charges;
            return new ChargeOutcome.Charged(wouldBe);
        }
    }

    private double Epsilon(ImmutableArray<PrivacyCharge> charges) =>
        PatientEpsilon.Of([.. charges.Select(charge => charge.Mechanism)], _budget.Delta);

    private static ImmutableArray<PrivacyCharge> Read(string cohort, byte[] stored)
    {
        try
        {
            var read = JsonSerializer.Deserialize<StoredCharges>(stored, Strict) ?? throw new JsonException("it is null.");
            if (read.Cohort != cohort) throw new InvalidDataException("The stored privacy budget belongs to another cohort.");
            if (read.Charges.IsDefault) throw new JsonException("it has no charges.");
            var problem = read.Charges.Select(charge => charge.Mechanism.Problem()).FirstOrDefault(problem => problem is not null);
            return problem is null ? read.Charges : throw new JsonException($"a charge is impossible: {problem}.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"The stored privacy budget can't be read, so nothing may leave: {error.Message}", error);
        }
    }

    private sealed record StoredCharges(string Cohort, ImmutableArray<PrivacyCharge> Charges);
}
