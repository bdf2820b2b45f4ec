namespace FedSeg.SiteAgent.Coordinator.Pace;

/// <summary>
/// A token bucket a second deep for one direction: bytes move at most so fast on average, and never more than a second's worth at once.
/// </summary>
internal sealed class LineMeter(TimeProvider time)
{
    private static readonly TimeSpan Depth = TimeSpan.FromSeconds(1);

    private long _settled = time.GetTimestamp();

    /// <summary>Bytes that moved and are not paid for by time yet.</summary>
    private double _owed;

    /// <summary>Counts bytes and waits until they are within the cap.</summary>
    /// <param name="bytes">About to be sent, or just received.</param>
    /// <param name="bytesPerSecond">The cap; 0 for none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask MoveAsync(int bytes, long bytesPerSecond, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        // Without a cap nothing is owed, also not when one begins to hold.
        _owed = bytesPerSecond == 0 ? 0 : Math.Max(0, _owed - time.GetElapsedTime(_settled, now).TotalSeconds * bytesPerSecond) + bytes;
        _settled = now;
        var excess = _owed - Depth.TotalSeconds * bytesPerSecond;
        if (excess > 0) await Task.Delay(TimeSpan.FromSeconds(excess / bytesPerSecond), time, cancellationToken);
    }
}
