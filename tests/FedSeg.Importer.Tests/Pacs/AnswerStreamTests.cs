using FedSeg.Importer.Pacs;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Importer.Tests.Pacs;

public sealed class AnswerStreamTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _caller = new();
    private readonly SilenceGuard _guard;

    public AnswerStreamTests() => _guard = new SilenceGuard(TimeSpan.FromSeconds(10), _time, _caller.Token);

    public void Dispose()
    {
        _guard.Dispose();
        _caller.Dispose();
    }

    [Fact]
    public async Task ReadAsync_BeyondTheLimit_IsRefused()
    {
        await using var stream = new AnswerStream(new MemoryStream(new byte[100]), _guard, maximumBytes: 99);

        var failure = await Assert.ThrowsAsync<PacsException>(() => stream.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken));

        Assert.Equal(PacsFault.LimitExceeded, failure.Fault);
    }

    [Fact]
    public async Task ReadAsync_Silence_IsAFaultOfThePacs()
    {
        await using var stream = new AnswerStream(new SilentStream(), _guard, maximumBytes: 99);
        var read = stream.ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask();

        _time.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal(PacsFault.Silent, (await Assert.ThrowsAsync<PacsException>(() => read)).Fault);
    }

    [Fact]
    public async Task ReadAsync_LongPauseOfTheReader_IsNoSilence()
    {
        await using var stream = new AnswerStream(new MemoryStream(new byte[2]), _guard, maximumBytes: 99);
        await stream.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);

        _time.Advance(TimeSpan.FromHours(1));

        await stream.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task ReadAsync_CancelledByTheCaller_IsACancellation()
    {
        await using var stream = new AnswerStream(new SilentStream(), _guard, maximumBytes: 99);
        var read = stream.ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask();

        await _caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
    }

    private sealed class SilentStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return 0;
        }
    }
}
