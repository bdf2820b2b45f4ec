namespace FedSeg.Egress.Review;

/// <summary>
/// Whether this site is halted, now and for whoever has to stop at once. The desk throws it before anything is written, since a disk that takes no entry must not keep a
/// hospital from stopping, and releases it after the ledger says that two people lifted it.
/// </summary>
public sealed class KillSwitch : IDisposable
{
    private readonly Lock _gate = new();
    private CancellationTokenSource _thrown = new();
    private TaskCompletionSource _released = Completed();

    /// <summary>Whether nothing may run or leave.</summary>
    public bool IsThrown => Thrown.IsCancellationRequested;

    /// <summary>Cancelled when the switch is thrown. Taken anew after each release.</summary>
    public CancellationToken Thrown
    {
        get
        {
            lock (_gate) return _thrown.Token;
        }
    }

    /// <summary>Done when the switch is not thrown.</summary>
    public Task WhenReleasedAsync(CancellationToken cancellationToken)
    {
        lock (_gate) return _released.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Done when it is thrown.</summary>
    public async Task WhenThrownAsync(CancellationToken cancellationToken)
    {
        var thrown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = Thrown.UnsafeRegister(_ => thrown.TrySetResult(), null);
        await thrown.Task.WaitAsync(cancellationToken);
    }

    public void Dispose() => _thrown.Dispose();

    internal void Throw()
    {
        CancellationTokenSource thrown;
        lock (_gate)
        {
            if (_thrown.IsCancellationRequested) return;
            _released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            thrown = _thrown;
        }

        thrown.Cancel();
    }

    internal void Release()
    {
        lock (_gate)
        {
            if (!_thrown.IsCancellationRequested) return;
            // Not disposed: who took its token may still look at it.
            _thrown = new CancellationTokenSource();
            _released.SetResult();
        }
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }
}
