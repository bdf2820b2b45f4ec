using System.Collections.Concurrent;
using FedSeg.Coordinator.Journal;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Tests.Journal;

/// <summary>A journal on a disk that the test fills and clears.</summary>
internal sealed class FillingJournal(IRunJournal journal) : IRunJournal
{
    private volatile bool _isFull;

    public bool IsFull
    {
        get => _isFull;
        set => _isFull = value;
    }

    /// <summary>What found no room.</summary>
    public ConcurrentQueue<RunEvent> Refused { get; } = [];

    public void Append(RunId run, RunEvent next)
    {
        if (!IsFull)
        {
            journal.Append(run, next);
            return;
        }

        Refused.Enqueue(next);
        throw new IOException("There is no room.");
    }

    public IEnumerable<(RunId Run, RunEvent Event)> ReadAll() => journal.ReadAll();

    public void Dispose() => journal.Dispose();
}
