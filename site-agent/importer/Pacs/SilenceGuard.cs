namespace FedSeg.Importer.Pacs;

/// <summary>Cancels an exchange in which nothing moves for too long. Only waiting for the PACS counts, not our own disk.</summary>
internal sealed class SilenceGuard : IDisposable
{
    private readonly TimeSpan _longest;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _silence;
    private readonly CancellationTokenSource _either;

    public SilenceGuard(TimeSpan longest, TimeProvider time, CancellationToken caller)
    {
        _longest = longest;
        _caller = caller;
        _silence = new CancellationTokenSource(longest, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(caller, _silence.Token);
    }

    /// <summary>Cancelled by the caller or by silence.</summary>
    public CancellationToken Token => _either.Token;

    /// <summary>The silence was too long, and the caller did not cancel.</summary>
    public bool Expired => _silence.IsCancellationRequested && !_caller.IsCancellationRequested;

    /// <summary>Starts counting anew.</summary>
    public void Arm() => _silence.CancelAfter(_longest);

    /// <summary>Stops counting.</summary>
    public void Disarm() => _silence.CancelAfter(Timeout.InfiniteTimeSpan);

    public PacsException Silence(Exception cause) => new(PacsFault.Silent, $"The PACS was silent for {_longest.TotalSeconds} s.", cause);

    public void Dispose()
    {
        _either.Dispose();
        _silence.Dispose();
    }
}
