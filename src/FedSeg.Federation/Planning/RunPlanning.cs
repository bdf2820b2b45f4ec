using FedSeg.Federation.Architectures;
using FedSeg.Federation.Fingerprints;

namespace FedSeg.Federation.Planning;

/// <summary>From a run's fingerprints to its one plan: the same on any machine, so that whoever has the journal can make it again.</summary>
public static class RunPlanning
{
    /// <summary>Plans from sites' fingerprints, added up in the order given: the sites' ordinal order.</summary>
    /// <param name="asked">Which network, for how much memory.</param>
    /// <param name="sites">One fingerprint a site.</param>
    /// <exception cref="FingerprintException">They don't go together, or too little is left of them.</exception>
    /// <exception cref="PlanningException">They give no network that may be trained.</exception>
    public static TrainingPlan Of(PlanningSpec asked, IReadOnlyList<SiteFingerprint> sites)
    {
        var plan = TrainingPlanner.Plan(SketchedFingerprint.Merge(sites), asked.Preset);
        var chosen = asked.Choose(plan);
        // Every site would refuse it; better said once, with the reason.
        var problems = ArchitectureCatalog.Problems(chosen.Architecture);
        if (problems.Count == 0) problems = ArchitectureCatalog.PatchProblems(chosen.Architecture, chosen.PatchVoxels);
        return problems.Count == 0 ? plan : throw new PlanningException($"{chosen.Name}: {string.Join("; ", problems)}");
    }
}
