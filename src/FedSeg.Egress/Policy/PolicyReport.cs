using System.Collections.Immutable;
using FedSeg.Egress.Charters;
using FedSeg.Federation.Charters;

namespace FedSeg.Egress.Policy;

/// <summary>The checks an update passes on its way out.</summary>
public enum EgressRule
{
    /// <summary>The site has a valid policy.</summary>
    PolicyInForce,

    /// <summary>A charter that this hospital accepted covers the run.</summary>
    CharterInForce,

    /// <summary>Nobody threw the site's kill switch.</summary>
    SiteInService,

    /// <summary>The report answers the plan, in the plan's own labels, with numbers that are possible.</summary>
    ReportWithinPlan,

    /// <summary>The weights are exactly the tensors of the plan's architecture and nothing else; without training there are none.</summary>
    OnlyDeclaredTensors,

    /// <summary>No weight is NaN or infinite.</summary>
    FiniteValues,

    /// <summary>Hardly a weight is so small that float32 does not hold all its digits: crowds of them are a hiding place, not training.</summary>
    FewSubnormals,

    /// <summary>The file is no larger than the policy allows.</summary>
    SizeWithinBound,

    /// <summary>The L2 norm of the whole change is within the policy.</summary>
    NormWithinBound,

    /// <summary>The norm is not far from those of the run's last updates.</summary>
    NormWithinHistory,

    /// <summary>No single tensor changed out of proportion to what it was.</summary>
    TensorsWithinRatio,

    /// <summary>No patient who withdrew had a part in it.</summary>
    WithoutWithdrawn,

    /// <summary>No piece of an image that was trained on is found in the update.</summary>
    UnlikeImages,

    /// <summary>The day's updates and bytes, this one included, are within the policy.</summary>
    DayWithinBounds,

    /// <summary>The report tells no more losses and scores than the policy lets be told.</summary>
    MetricsWithinBound,

    /// <summary>Enough cases were trained on.</summary>
    EnoughCases,

    /// <summary>A fingerprint tells no count of fewer cases than the policy lets be told.</summary>
    SmallCountsLeftOut,

    /// <summary>The cohort's privacy budget allows the release, with everything that left before.</summary>
    PrivacyWithinBudget,
}

/// <summary>The outcome of one rule.</summary>
/// <param name="Rule">Which.</param>
/// <param name="Passed">Whether it lets the update leave.</param>
/// <param name="Measured">What was found: a number or the gate's own words, never text out of a file.</param>
/// <param name="Limit">What is allowed.</param>
public sealed record RuleResult(EgressRule Rule, bool Passed, string Measured, string Limit);

/// <summary>The outcome of every rule; none is left out because another failed.</summary>
public sealed record PolicyReport(ImmutableArray<RuleResult> Rules)
{
    /// <summary>Whether every rule passed.</summary>
    public bool Passed => Rules.All(rule => rule.Passed);

    /// <summary>The failed rules in one line for the site's operator.</summary>
    public string Summary => Passed
        ? "every rule passed"
        : string.Join("; ", Rules.Where(rule => !rule.Passed).Select(rule => $"{rule.Rule}: {rule.Measured} (allowed: {rule.Limit})"));

    /// <summary>The report when there is no valid policy to check anything against.</summary>
    internal static PolicyReport WithoutPolicy { get; } =
        new([new RuleResult(EgressRule.PolicyInForce, Passed: false, "no valid policy", "a valid policy file")]);

    /// <summary>The report of a run that no charter covers.</summary>
    internal static PolicyReport OutsideCharter(string problem) => new([EgressRules.CharterInForce(new CharterVerdict.Outside(problem))]);

    /// <summary>The report of an update that a patient had a part in who withdrew while it was measured.</summary>
    internal static PolicyReport WithWithdrawn(int? patients) => new([EgressRules.WithoutWithdrawn(patients)]);

    /// <summary>Of an update whose rules were run before a restart or a review; the ledger has the results.</summary>
    internal static PolicyReport DecidedBefore { get; } = new([]);

    /// <summary>The report while the site is halted.</summary>
    internal static PolicyReport Halted { get; } =
        new([new RuleResult(EgressRule.SiteInService, Passed: false, "the kill switch is thrown", "lifted by two people")]);
}
