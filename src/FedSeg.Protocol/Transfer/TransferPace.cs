namespace FedSeg.Protocol.Transfer;

/// <summary>The least progress a transfer must make. gRPC sets streaming calls no limit of its own; the transfer as a whole may take any time.</summary>
/// <param name="BytesPerSecond">Average over each window.</param>
/// <param name="Window">How long a transfer may stay below it.</param>
public sealed record TransferPace(int BytesPerSecond, TimeSpan Window)
{
    /// <summary>16 kB/s over 30 s: a line that is slower still gets there, in several attempts that each go on where the last one stopped.</summary>
    public static TransferPace Default { get; } = new(16_000, TimeSpan.FromSeconds(30));
}

/// <summary>Follows one transfer and ends it when a window passes with too little progress.</summary>
public sealed class TransferWatch(TransferPace pace, TimeProvider time)
{
    private long _windowStarted = time.GetTimestamp();
    private long _windowBytes;

    /// <summary>Waits for the next piece, as long as the transfer keeps its pace.</summary>
    /// <exception cref="TransferStalledException">It does not.</exception>
    public async Task<T> NextAsync<T>(Task<T> piece, CancellationToken cancellationToken)
    {
        while (true)
        {
            var left = pace.Window - time.GetElapsedTime(_windowStarted);
            if (left <= TimeSpan.Zero)
            {
                JudgeWindow();
                continue;
            }

            if (piece.IsCompleted) return await piece;
            try
            {
                return await piece.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // The window is over, and is judged above. The piece may have come just now, or this is how it ended: that is seen above, too.
            }
        }
    }

    /// <summary>Counts what has moved.</summary>
    public void Moved(int bytes) => _windowBytes += bytes;

    private void JudgeWindow()
    {
        var seconds = time.GetElapsedTime(_windowStarted).TotalSeconds;
        if (_windowBytes < pace.BytesPerSecond * pace.Window.TotalSeconds) throw new TransferStalledException(_windowBytes, seconds);
        _windowBytes = 0;
        _windowStarted = time.GetTimestamp();
    }
}

/// <summary>A transfer made too little progress and was ended; what has arrived is kept.</summary>
public sealed class TransferStalledException(long bytes, double seconds)
    : Exception($"The transfer was ended because only {bytes} bytes moved in {seconds:F0} s; it may go on from where it stopped.");
