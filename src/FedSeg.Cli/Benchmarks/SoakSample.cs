using FedSeg.Cli.Federations;

namespace FedSeg.Cli.Benchmarks;

/// <summary>A row of the soak's table.</summary>
/// <param name="Seconds">Since the federation was up.</param>
/// <param name="Rounds">Rounds closed by then, in runs that have ended.</param>
/// <param name="Coordinator">What the coordinator holds.</param>
/// <param name="Agent">The most that any agent holds, each figure by itself.</param>
internal sealed record SoakSample(double Seconds, int Rounds, ProcessSample Coordinator, ProcessSample Agent)
{
    /// <summary>The table's first line.</summary>
    public const string Header = "seconds,rounds,coordinatorMb,coordinatorHandles,coordinatorThreads,agentMb,agentHandles,agentThreads";

    public string ToCsv() => FormattableString.Invariant($"{Seconds:F1},{Rounds},{Coordinator.ToCsv()},{Agent.ToCsv()}");
}
