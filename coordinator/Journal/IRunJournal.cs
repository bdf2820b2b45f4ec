using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Journal;

/// <summary>
/// The append-only journal of all runs, from which everything a coordinator knows is folded. One process writes it at a time. Where it can't be told whether an event was
/// stored, the process ends: what it holds in memory may no longer be what the journal says, and only a new start makes them one again.
/// </summary>
internal interface IRunJournal : IDisposable
{
    /// <summary>Appends one event; on the disk when this returns. Callers append one at a time.</summary>
    /// <exception cref="IOException">There is no room, or another program holds the journal; the event is not in it.</exception>
    void Append(RunId run, RunEvent next);

    /// <summary>Every event of every run, oldest first.</summary>
    IEnumerable<(RunId Run, RunEvent Event)> ReadAll();
}
