using FedSeg.Federation.Architectures;
using FedSeg.Federation.Fingerprints;

namespace FedSeg.Federation.Planning;

/// <summary>From a run's fingerprints to its one plan: the same on any machine, so that whoever has the journal can make it again.</summary>
public static class RunPlanning
{
    /// <summary>GPUs take channels by the eight.</summary>
    private const int CapStep = 8;

    /// <summary>Plans from sites' fingerprints, added up in the order given: the sites' ordinal order.</summary>
    /// <param name="asked">Which network, for how much memory.</param>
    /// <param name="sites">One fingerprint a site.</param>
    /// <exception cref="FingerprintException">They don't go together, or too little is left of them.</exception>
    /// <exception cref="PlanningException">They give no network that may be trained.</exception>
    public static TrainingPlan Of(PlanningSpec asked, IReadOnlyList<SiteFingerprint> sites)
    {
        var plan = TrainingPlanner.Plan(SketchedFingerprint.Merge(sites), asked.Preset);
        var chosen = asked.Choose(plan);
        return plan with { Configurations = plan.Configurations.Replace(chosen, Trainable(chosen)) };
    }

    /// <summary>
    /// A network that no site refuses: nnU-Net's own or, where one of its outputs would see as many values as a small patch has voxels
    /// (<see cref="ImprintCheck"/>), the widest of capped features that has none. Patch and batch stay; a narrower network takes less.
    /// </summary>
    private static PlannedConfiguration Trainable(PlannedConfiguration planned)
    {
        // Every site would refuse it; better said once, with the reason.
        var problems = ArchitectureCatalog.Problems(planned.Architecture);
        if (problems.Count > 0) throw new PlanningException($"{planned.Name}: {string.Join("; ", problems)}");

        problems = ArchitectureCatalog.PatchProblems(planned.Architecture, planned.PatchVoxels);
        if (problems.Count == 0) return planned;
        var widest = planned.Architecture.Topology!.Stages.Max(stage => stage.Features);
        for (var cap = (widest - 1) / CapStep * CapStep; cap > 0; cap -= CapStep)
        {
            var narrower = planned.CappedAt(cap);
            if (ArchitectureCatalog.PatchProblems(narrower.Architecture, narrower.PatchVoxels).Count == 0) return narrower;
        }

        throw new PlanningException(
            $"{planned.Name}: {string.Join("; ", problems)}; {CapStep} features are still too many: "
            + "plan another configuration, or images of more voxels");
    }
}
