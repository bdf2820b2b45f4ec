namespace FedSeg.Importer.Pacs;

/// <summary>
/// The body of an answer, forward only: bounded in bytes and in silence. Every failure of the network is a <see cref="PacsException"/>
/// here, so that it can't be taken
/// for one of our own disk.
/// </summary>
internal sealed class AnswerStream(Stream body, SilenceGuard guard, long maximumBytes) : Stream
{
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read;
        try
        {
            guard.Arm();
            read = await body.ReadAsync(buffer, guard.Token);
            guard.Disarm();
        }
        catch (OperationCanceledException cancelled) when (guard.Expired)
        {
            throw guard.Silence(cancelled);
        }
        catch (Exception lost) when (lost is IOException or HttpRequestException)
        {
            throw new PacsException(PacsFault.ConnectionLost, "The connection to the PACS ended in the middle of an answer.", lost);
        }

        _read += read;
        return _read <= maximumBytes
            ? read
            : throw new PacsException(
                PacsFault.LimitExceeded,
                $"An answer is larger than {maximumBytes} bytes. If it is genuine, raise {nameof(PacsOptions.MaximumAnswerBytes)}.");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Answers are read asynchronously.");

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) body.Dispose();
        base.Dispose(disposing);
    }
}
