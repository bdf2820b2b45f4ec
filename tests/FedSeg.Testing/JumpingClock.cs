namespace FedSeg.Testing;

/// <summary>A machine whose date somebody sets: the wall clock jumps, while timers and timestamps go on as if nothing were.</summary>
public sealed class JumpingClock(TimeProvider steady) : TimeProvider
{
    /// <summary>How far the date is away from the steady clock's.</summary>
    public TimeSpan Jump { get; set; }

    public override long TimestampFrequency => steady.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => steady.GetUtcNow() + Jump;

    public override long GetTimestamp() => steady.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        steady.CreateTimer(callback, state, dueTime, period);
}
