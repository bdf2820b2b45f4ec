using FedSeg.Egress.Policy;

namespace FedSeg.Desk.Wording;

/// <summary>What each rule of the policy makes sure of.</summary>
internal static class RuleWords
{
    public static string Of(EgressRule rule) => rule switch
    {
        EgressRule.PolicyInForce => "This hospital has a valid policy",
        EgressRule.CharterInForce => "A charter that this hospital accepted covers the run, or none is needed here",
        EgressRule.SiteInService => "Nobody has thrown the kill switch",
        EgressRule.ReportWithinPlan => "The report answers what was asked, in the plan's own words",
        EgressRule.OnlyDeclaredTensors => "Only the declared parts of the model, nothing attached",
        EgressRule.FiniteValues => "No weight is infinite or not a number",
        EgressRule.FewSubnormals => "Hardly a weight is too small to be a change of training",
        EgressRule.SizeWithinBound => "The file is not longer than allowed",
        EgressRule.NormWithinBound => "The change as a whole is not larger than allowed",
        EgressRule.NormWithinHistory => "The change is not far from those of earlier rounds",
        EgressRule.TensorsWithinRatio => "No part of the model changed out of proportion",
        EgressRule.WithoutWithdrawn => "No patient who withdrew had a part in it",
        EgressRule.UnlikeImages => "Nothing in the change looks like one of the images",
        EgressRule.DayWithinBounds => "Not more in 24 hours than allowed",
        EgressRule.MetricsWithinBound => "Not more losses and scores than allowed",
        EgressRule.EnoughCases => "Enough cases, so that no single one stands out",
        EgressRule.SmallCountsLeftOut => "Counts of few cases are left out",
        EgressRule.PrivacyWithinBudget => "The privacy budget of these patients allows it",
        _ => rule.ToString(),
    };
}
