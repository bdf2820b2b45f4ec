namespace FedSeg.Federation.Tests.Simulation;

/// <summary>How unlucky a simulation is. Each seed draws its own mixture, so that rare combinations occur and quiet runs do too.</summary>
internal sealed record Faults
{
    /// <summary>Share of messages that are lost, come twice, or are held up for a long time.</summary>
    public required double Lost { get; init; }

    public required double Twice { get; init; }

    public required double Late { get; init; }

    /// <summary>Share of uploads that arrive damaged.</summary>
    public required double Damaged { get; init; }

    /// <summary>Chance of a crash at each place where one would hurt.</summary>
    public required double CrashHere { get; init; }

    /// <summary>Mean time between crashes at any time, of the coordinator and of each site, ms.</summary>
    public required double CrashEvery { get; init; }

    /// <summary>Mean time between partitions of each site, in one direction or both, ms.</summary>
    public required double PartitionEvery { get; init; }

    /// <summary>Mean time between full disks of each machine, ms.</summary>
    public required double FullDiskEvery { get; init; }

    /// <summary>Share of trainings that fail, of updates that a policy refuses, and of sites that never approve the run.</summary>
    public required double TrainerFails { get; init; }

    public required double PolicyRefuses { get; init; }

    public required double PlanNotApproved { get; init; }

    /// <summary>Share of updates about which a person of the site decides.</summary>
    public required double Reviewed { get; init; }

    /// <summary>Chance of each thing that is nobody's bad luck: a model that is refused, an outbox that was tampered with, updates that can't be merged, a step that fails in a way nobody foresaw.</summary>
    public required double Odd { get; init; }

    /// <summary>Share of trainings that take longer than the round.</summary>
    public required double Straggles { get; init; }

    /// <summary>Share of runs that a person cancels.</summary>
    public required double Cancelled { get; init; }

    /// <summary>Share of runs that a person pauses for a while.</summary>
    public required double Paused { get; init; }

    /// <summary>Share of runs whose every merge takes the coordinator down.</summary>
    public required double Poisoned { get; init; }

    public static Faults Draw(Chance chance) => new()
    {
        Lost = chance.Of(0, 0.01, 0.1),
        Twice = chance.Of(0, 0.02, 0.2),
        Late = chance.Of(0, 0.02, 0.1),
        Damaged = chance.Of(0, 0.05),
        CrashHere = chance.Of(0, 0.005, 0.03),
        CrashEvery = chance.Of(1e12, 120_000, 30_000),
        PartitionEvery = chance.Of(1e12, 200_000, 60_000),
        FullDiskEvery = chance.Of(1e12, 300_000),
        TrainerFails = chance.Of(0, 0, 0.05),
        PolicyRefuses = chance.Of(0, 0, 0.05),
        PlanNotApproved = chance.Of(0, 0, 0, 0.2),
        Reviewed = chance.Of(0, 0, 0.1),
        Odd = chance.Of(0, 0, 0.02),
        Straggles = chance.Of(0, 0.05, 0.2),
        Paused = chance.Of(0, 0.2),
        Cancelled = chance.Of(0, 0.1),
        Poisoned = chance.Of(0, 0, 0.1),
    };

    /// <summary>What is left once everything has healed: machines are whole, lines carry, people leave the run alone.</summary>
    public Faults Healed() => this with
    {
        Lost = 0, Twice = 0, Late = 0, Damaged = 0, CrashHere = 0, TrainerFails = 0, PolicyRefuses = 0, Reviewed = 0, Odd = 0, Straggles = 0,
    };
}
