using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Rounds;

/// <summary>How long the open round has been waited for, on the clock that nobody sets: a changed date makes no round shorter or longer.</summary>
internal sealed class RoundClock(TimeProvider time)
{
    private int? _round;
    private long _started;

    /// <summary>How long the round has been seen; nothing while there is none, or the run is paused.</summary>
    public TimeSpan OpenFor => _round is null ? TimeSpan.Zero : time.GetElapsedTime(_started);

    /// <summary>What the runner sees: from the first time on, a round's time runs; after a pause it runs anew.</summary>
    public void See(RunState run)
    {
        var round = run.Pause is null ? run.OpenRound?.Plan.Round : null;
        if (_round != round) (_round, _started) = (round, time.GetTimestamp());
    }

    /// <summary>Waits for the change, or until the round has been open so long.</summary>
    public async Task WaitAsync(RunEffect.Await wait, Task change, CancellationToken cancellationToken)
    {
        var left = wait.OpenFor - OpenFor;
        if (wait.OpenFor == Timeout.InfiniteTimeSpan) left = wait.OpenFor;
        else if (left < TimeSpan.Zero) left = TimeSpan.Zero;
        try
        {
            await change.WaitAsync(left, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Judged again.
        }
    }
}
