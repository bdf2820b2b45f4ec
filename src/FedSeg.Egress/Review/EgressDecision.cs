using FedSeg.Egress.Policy;

namespace FedSeg.Egress.Review;

/// <summary>Whether a sealed update may leave, and who said so.</summary>
public abstract record EgressDecision
{
    private EgressDecision() { }

    /// <summary>It may.</summary>
    /// <param name="By">Which authority: a standing one by name, or a person.</param>
    public sealed record Approved(string By) : EgressDecision;

    /// <summary>It may not.</summary>
    /// <param name="By">Which authority.</param>
    public sealed record Refused(string By) : EgressDecision;
}

/// <summary>The standing approval of a site without a review desk: what passes every rule may leave.</summary>
internal static class AutoWithinBounds
{
    private const string Name = "auto-within-bounds";

    public static EgressDecision Decide(PolicyReport report) =>
        report.Passed ? new EgressDecision.Approved(Name) : new EgressDecision.Refused(Name);
}
