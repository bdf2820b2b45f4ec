using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using FedSeg.Coordinator.Journal;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Faults;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// Every run as it stands: the journal folded in memory. What the run's protocol decides and its entry in the journal are one step (<see cref="Step"/>), so two
/// callers can't both have the same update accepted.
/// </summary>
internal sealed class RunBook : IDisposable
{
    private readonly Lock _gate = new();
    private readonly IRunJournal _journal;
    private readonly Failpoints _failpoints;
    private readonly RunLog? _log;
    private ImmutableSortedDictionary<string, RunState> _runs = ImmutableSortedDictionary.Create<string, RunState>(StringComparer.Ordinal);
    private TaskCompletionSource _changed = NewSignal();

    /// <param name="journal">What happened before; this book's from now on.</param>
    /// <param name="failpoints">Where to die on purpose.</param>
    /// <param name="log">Told of every new entry; <see langword="null"/> where the book is only read.</param>
    public RunBook(IRunJournal journal, Failpoints failpoints, RunLog? log)
    {
        _journal = journal;
        _failpoints = failpoints;
        _log = log;
        foreach (var (run, next) in journal.ReadAll())
        {
            _runs = _runs.SetItem(run.ToString(), RunState.Apply(_runs.GetValueOrDefault(run.ToString()), run, next));
        }
    }

    /// <summary>All runs, oldest first.</summary>
    public IReadOnlyList<RunState> Runs
    {
        get
        {
            lock (_gate) return [.. _runs.Values.OrderBy(run => run.CreatedAt)];
        }
    }

    public RunState? Find(RunId run)
    {
        lock (_gate) return _runs.GetValueOrDefault(run.ToString());
    }

    /// <summary>Enters a new run. Durable when this returns.</summary>
    public RunState Create(RunId run, RunEvent.Created created)
    {
        lock (_gate) return Enter(run, created, RunState.Apply(null, run, created));
    }

    /// <summary>Tells a run something and enters what follows in the journal before anyone else can look. Durable when this returns.</summary>
    /// <returns>The run right after this step, and everything that was decided; what was to be entered has been.</returns>
    /// <exception cref="IOException">The journal takes nothing for now; nothing has changed.</exception>
    public (RunState After, ImmutableArray<RunEffect> Effects) Step(RunId run, RunInput input, DateTimeOffset at)
    {
        lock (_gate)
        {
            var (after, effects) = RunProtocol.Step(_runs[run.ToString()], input, at);
            if (effects is [RunEffect.Append append, ..]) Enter(run, append.Event, after);
            return (after, effects);
        }
    }

    /// <summary>A signal of the next change of any run. Take it before looking, so that no change falls between.</summary>
    public Task NextChange
    {
        get
        {
            lock (_gate) return _changed.Task;
        }
    }

    /// <summary>The run now and after every change, until it has ended.</summary>
    public async IAsyncEnumerable<RunState> WatchAsync(RunId run, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RunState? seen = null;
        while (seen?.End is null)
        {
            var change = NextChange;
            var state = Find(run);
            if (state is null) yield break;
            if (state != seen) yield return state;
            else await change.WaitAsync(cancellationToken);
            seen = state;
        }
    }

    public void Dispose() => _journal.Dispose();

    private RunState Enter(RunId run, RunEvent next, RunState after)
    {
        var step = StepOf(next);
        if (step is not null) _failpoints.Hit(Failpoints.Before(step));
        _journal.Append(run, next);
        // What the journal has, the book has, whatever fails next: entered twice, it could not be read again.
        _runs = _runs.SetItem(run.ToString(), after);
        var changed = _changed;
        _changed = NewSignal();
        changed.SetResult();
        _log?.Tell(after, next);
        if (step is not null) _failpoints.Hit(Failpoints.After(step));
        return after;
    }

    private static string? StepOf(RunEvent next) => next switch
    {
        RunEvent.RoundOpened => RoundSteps.Open,
        RunEvent.UpdateAccepted => RoundSteps.Commit,
        RunEvent.RoundClosed => RoundSteps.Close,
        _ => null,
    };

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
