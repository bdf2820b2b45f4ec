namespace FedSeg.Federation.Tests.Simulation;

/// <summary>The lines between the coordinator and each site. Every message takes its own time, may be lost, may come twice, and a line may carry in one direction only.</summary>
internal sealed class SimulatedNetwork(Simulation simulation)
{
    private readonly HashSet<(int Site, bool ToCoordinator)> _cut = [];

    /// <summary>One message of a call. Nobody learns that it is lost.</summary>
    public void Send(int site, bool toCoordinator, Action arrive)
    {
        if (_cut.Contains((site, toCoordinator)) || simulation.Happens(faults => faults.Lost)) return;
        simulation.After(Latency(), arrive);
        if (simulation.Happens(faults => faults.Twice)) simulation.After(Latency(), arrive);
    }

    /// <summary>
    /// One message of a stream to a site: in the order they were sent, none twice, and after a lost one nothing more, as TCP does it.
    /// </summary>
    /// <returns>Whether the stream is still whole.</returns>
    public bool SendInOrder(int site, ref long lastArrival, Action arrive)
    {
        if (_cut.Contains((site, false)) || simulation.Happens(faults => faults.Lost)) return false;
        lastArrival = Math.Max(lastArrival + 1, simulation.Now + Latency());
        simulation.After(lastArrival - simulation.Now, arrive);
        return true;
    }

    /// <summary>Cuts a site off for a while, in one direction or both.</summary>
    public void Partition(int site)
    {
        var (there, back) = simulation.Chance.Of((true, true), (true, false), (false, true));
        if (there) _cut.Add((site, true));
        if (back) _cut.Add((site, false));
        simulation.After(simulation.Chance.Between(1_000, 90_000), () => Heal(site));
    }

    public void Heal(int site)
    {
        _cut.Remove((site, true));
        _cut.Remove((site, false));
    }

    private long Latency() => simulation.Happens(faults => faults.Late) ? simulation.Chance.Between(1_000, 45_000) : simulation.Chance.Between(2, 60);
}
