using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Egress.Charters;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Policy;

/// <summary>
/// The rules, each a few lines over what was measured while the update was sealed. Source: egress checks of the FedSeg threat model, section 3.2. What could not be
/// measured does not pass.
/// </summary>
internal static class EgressRules
{
    private static readonly ImmutableArray<Func<SealingFacts, EgressPolicy, RuleResult>> All =
        [PolicyInForce, (facts, _) => CharterInForce(facts.Charter), SiteInService, ReportWithinPlan, OnlyDeclaredTensors, FiniteValues, FewSubnormals, SizeWithinBound, NormWithinBound, NormWithinHistory, TensorsWithinRatio, (facts, _) => WithoutWithdrawn(facts.WithdrawnPatients), UnlikeImages, DayWithinBounds, MetricsWithinBound, EnoughCases, SmallCountsLeftOut, PrivacyWithinBudget];

    /// <summary>Runs every rule.</summary>
    public static PolicyReport Check(SealingFacts facts, EgressPolicy policy) => new([.. All.Select(rule => rule(facts, policy))]);

    private static RuleResult PolicyInForce(SealingFacts facts, EgressPolicy policy) =>
        new(EgressRule.PolicyInForce, Passed: true, $"policy {policy.Hash.Abbreviated}", "a valid policy file");

    public static RuleResult CharterInForce(CharterVerdict verdict)
    {
        const string limit = "a charter that this hospital accepted covers the run";
        return verdict switch
        {
            CharterVerdict.Covered cover => new(EgressRule.CharterInForce, Passed: true, $"version {cover.Charter.Version} of study {cover.Charter.Study}, {cover.Hash.Abbreviated}", limit),
            CharterVerdict.NotNeeded => new(EgressRule.CharterInForce, Passed: true, "the policy lets runs go without a charter", limit),
            CharterVerdict.Outside outside => new(EgressRule.CharterInForce, Passed: false, outside.Problem, limit),
            _ => throw new InvalidOperationException($"{verdict.GetType().Name} is not a verdict."),
        };
    }

    public static RuleResult WithoutWithdrawn(int? patients) =>
        new(EgressRule.WithoutWithdrawn, patients == 0, patients == 0 ? "none" : patients is { } count ? Text(count) : "not known whom it used", "no patient who withdrew");

    private static RuleResult SiteInService(SealingFacts facts, EgressPolicy policy) =>
        new(EgressRule.SiteInService, !facts.Halted, facts.Halted ? "the kill switch is thrown" : "in service", "lifted by two people");

    private static RuleResult ReportWithinPlan(SealingFacts facts, EgressPolicy policy) =>
        new(EgressRule.ReportWithinPlan, facts.ReportProblem is null, facts.ReportProblem ?? "answers the plan", "the plan's ids and labels, possible numbers");

    private static RuleResult OnlyDeclaredTensors(SealingFacts facts, EgressPolicy policy) =>
        new(EgressRule.OnlyDeclaredTensors, facts.TensorProblem is null, facts.TensorProblem ?? "as declared", facts.Task == RoundTask.Train ? "the architecture's tensors" : "no weights");

    private static RuleResult FiniteValues(SealingFacts facts, EgressPolicy policy) =>
        new(EgressRule.FiniteValues, facts.NonFiniteValues == 0, Text(facts.NonFiniteValues), "0");

    private static RuleResult FewSubnormals(SealingFacts facts, EgressPolicy policy)
    {
        // The difference of two float32 weights is a multiple of their last digit, far above: real changes have next to none.
        const int few = 16, oneIn = 10_000;
        var weights = facts.Tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (product, extent) => product * extent));
        var limit = Math.Max(few, weights / oneIn);
        return new(EgressRule.FewSubnormals, facts.SubnormalValues <= limit, Text(facts.SubnormalValues), $"at most {limit}");
    }

    private static RuleResult SizeWithinBound(SealingFacts facts, EgressPolicy policy) =>
        new(EgressRule.SizeWithinBound, facts.WeightsBytes <= policy.MaximumUpdateBytes, Text(facts.WeightsBytes), Text(policy.MaximumUpdateBytes));

    private static RuleResult NormWithinBound(SealingFacts facts, EgressPolicy policy) =>
        // Written so that NaN does not pass.
        new(EgressRule.NormWithinBound, facts.Norm <= policy.MaximumNorm, Text(facts.Norm), Text(policy.MaximumNorm));

    private static RuleResult NormWithinHistory(SealingFacts facts, EgressPolicy policy)
    {
        if (policy.MaximumNormDeviation is not { } bound) return new(EgressRule.NormWithinHistory, Passed: true, "not compared", "no bound");
        var limit = $"at most {Text(bound)} deviations";
        if (facts.Task != RoundTask.Train) return new(EgressRule.NormWithinHistory, Passed: true, "no weights", limit);
        if (facts.Norm is not { } norm) return new(EgressRule.NormWithinHistory, Passed: false, Text(facts.Norm), limit);
        return NormDeviation.Of(norm, facts.EarlierNorms) is { } deviation
            ? new(EgressRule.NormWithinHistory, deviation <= bound, Text(Math.Round(deviation, 2)), limit)
            : new(EgressRule.NormWithinHistory, Passed: true, $"{facts.EarlierNorms.Count} earlier updates", $"{limit}, from {NormDeviation.MinimumHistory} earlier updates on");
    }

    private static RuleResult TensorsWithinRatio(SealingFacts facts, EgressPolicy policy)
    {
        if (policy.MaximumTensorRatio is not { } bound) return new(EgressRule.TensorsWithinRatio, Passed: true, "not compared", "no bound");
        var limit = $"at most {Text(bound)} of the model's tensor";
        if (facts.Task != RoundTask.Train) return new(EgressRule.TensorsWithinRatio, Passed: true, "no weights", limit);
        var compared = facts.Tensors.Where(tensor => tensor.Ratio is not null).ToList();
        // Without the base model there is nothing to compare with: what can't be measured does not pass.
        if (compared.Count == 0) return new(EgressRule.TensorsWithinRatio, Passed: false, Text(null), limit);
        var worst = compared.MaxBy(tensor => tensor.Ratio)!;
        // Written so that NaN does not pass.
        return new(EgressRule.TensorsWithinRatio, compared.All(tensor => tensor.Ratio <= bound), $"{Text(Math.Round(worst.Ratio!.Value, 4))} in {worst.Name}", limit);
    }

    private static RuleResult UnlikeImages(SealingFacts facts, EgressPolicy policy)
    {
        if (policy.MaximumImageSimilarity is not { } bound)
        {
            return new(EgressRule.UnlikeImages, Passed: true, facts.ImageSimilarity is { } found ? Text(Math.Round(found, 3)) : "not compared", "no bound");
        }

        var limit = $"cosine at most {Text(bound)} with any piece of an image";
        if (facts.Task != RoundTask.Train) return new(EgressRule.UnlikeImages, Passed: true, "no weights", limit);
        // Written so that NaN does not pass.
        return new(EgressRule.UnlikeImages, facts.ImageSimilarity is >= 0 and var measured && measured <= bound, Text(Rounded(facts.ImageSimilarity)), limit);
    }

    private static double? Rounded(double? value) => value is { } number ? Math.Round(number, 3) : null;

    private static RuleResult DayWithinBounds(SealingFacts facts, EgressPolicy policy)
    {
        var (updates, bytes) = (facts.LastDay.Updates + 1, facts.LastDay.Bytes + facts.WeightsBytes);
        var limit = $"{Bound(policy.MaximumUpdatesPerDay)} updates, {Bound(policy.MaximumBytesPerDay)} bytes in 24 hours";
        var passed = updates <= (policy.MaximumUpdatesPerDay ?? int.MaxValue) && (policy.MaximumBytesPerDay is null || bytes <= policy.MaximumBytesPerDay);
        return new(EgressRule.DayWithinBounds, passed, $"{updates} updates, {Text(bytes)} bytes", limit);

        static string Bound(IFormattable? bound) => bound?.ToString(null, CultureInfo.InvariantCulture) ?? "any";
    }

    private static RuleResult MetricsWithinBound(SealingFacts facts, EgressPolicy policy) =>
        new(EgressRule.MetricsWithinBound, facts.Metrics <= policy.MaximumMetrics, Text(facts.Metrics), $"at most {policy.MaximumMetrics}");

    private static RuleResult EnoughCases(SealingFacts facts, EgressPolicy policy) => facts.Task == RoundTask.Train
        ? new(EgressRule.EnoughCases, facts.TrainingCases >= policy.MinimumTrainingCases, Text(facts.TrainingCases), $"at least {policy.MinimumTrainingCases}")
        : new(EgressRule.EnoughCases, Passed: true, "nothing was trained", "applies to training");

    /// <summary>Of a fingerprint, which tells counts and nothing else.</summary>
    private static RuleResult SmallCountsLeftOut(SealingFacts facts, EgressPolicy policy)
    {
        var limit = $"no count of fewer than {policy.MinimumReportedCount} cases";
        if (facts.Task != RoundTask.Fingerprint) return new(EgressRule.SmallCountsLeftOut, Passed: true, "no counts", limit);
        // Not sealed: its form was refused.
        if (facts.Fingerprint is not { } fingerprint) return new(EgressRule.SmallCountsLeftOut, Passed: false, Text(null), limit);
        var smallest = fingerprint.SmallestCount();
        var leftOut = Math.Round(100 * fingerprint.Intensity.SuppressedShare(), 1);
        var measured = $"{fingerprint.Cases} cases, smallest count {smallest}, {Text(leftOut)} % of the intensities left out";
        return new(EgressRule.SmallCountsLeftOut, smallest >= policy.MinimumReportedCount, measured, limit);
    }

    private static RuleResult PrivacyWithinBudget(SealingFacts facts, EgressPolicy policy)
    {
        if (policy.Budgets.IsEmpty)
        {
            return new(EgressRule.PrivacyWithinBudget, Passed: true, facts.Privacy is { } spent ? $"ε {Epsilon(spent.Epsilon)} for this round alone" : "no differential privacy", "no budget is set");
        }

        var limit = string.Join("; ", policy.Budgets.Select(budget =>
            $"ε at most {Text(budget.MaximumEpsilon)} over all runs{(budget == policy.StudyBudget ? " of the study" : "")}, at δ {Text(budget.Delta)}"));
        if (facts.Task == RoundTask.Evaluate) return new(EgressRule.PrivacyWithinBudget, Passed: true, "nothing was trained", limit);
        if (facts.Task == RoundTask.Fingerprint) return new(EgressRule.PrivacyWithinBudget, Passed: false, "counts without differential privacy", limit);
        if (facts.Privacy is null) return new(EgressRule.PrivacyWithinBudget, Passed: false, "trained without differential privacy", limit);
        if (facts.Budgets.Count < policy.Budgets.Length || facts.Budgets.Any(budget => budget.After is null))
        {
            return new(EgressRule.PrivacyWithinBudget, Passed: false, "the record of the budget can't be read, or lacks releases that the ledger has", limit);
        }

        var measured = string.Join("; ", facts.Budgets.Select(budget => $"ε {Epsilon(budget.Spent)} spent, {Epsilon(budget.After!.Value)} with this"));
        return new(EgressRule.PrivacyWithinBudget, facts.Budgets.All(budget => budget.After <= budget.MaximumEpsilon), measured, limit);
    }

    // Rounded up: what is shown is never less than what is spent.
    private static string Epsilon(double epsilon) => Text(Math.Ceiling(epsilon * 1000) / 1000);

    private static string Text(IFormattable? measured) => measured?.ToString(null, CultureInfo.InvariantCulture) ?? "could not be measured";
}
