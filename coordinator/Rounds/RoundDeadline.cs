using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Rounds;

/// <summary>A round's deadline on the clock that nobody sets: a changed date makes no round shorter or longer.</summary>
internal sealed class RoundDeadline(TimeProvider time)
{
    private int _round;
    private long _started;

    /// <summary>The round whose deadline has passed.</summary>
    public int? PassedFor { get; private set; }

    /// <summary>The runner sees a round: from the first time on, its deadline runs.</summary>
    public void Begin(int round)
    {
        if (_round != round) (_round, _started) = (round, time.GetTimestamp());
    }

    /// <summary>Waits for the change or the deadline.</summary>
    public async Task WaitAsync(RunEffect.Await wait, Task change, CancellationToken cancellationToken)
    {
        var left = wait.Deadline - time.GetElapsedTime(_started);
        try
        {
            await change.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            PassedFor = wait.Round;
        }
    }
}
