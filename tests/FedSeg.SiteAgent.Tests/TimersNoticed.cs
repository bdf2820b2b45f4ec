using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.SiteAgent.Tests;

/// <summary>A clock that stands still until it is moved, and says which timers are set.</summary>
internal sealed class TimersNoticed : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

    /// <summary>The next timer that was set: after how long it is due.</summary>
    public async Task<TimeSpan> NextAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(2));
        return await _timers.Reader.ReadAsync(patience.Token);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime != Timeout.InfiniteTimeSpan) _timers.Writer.TryWrite(dueTime);
        return timer;
    }
}
