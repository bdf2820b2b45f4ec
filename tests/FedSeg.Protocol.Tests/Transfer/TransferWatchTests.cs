using FedSeg.Protocol.Transfer;
using FedSeg.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Protocol.Tests.Transfer;

public sealed class TransferWatchTests
{
    private static readonly TransferPace Pace = new(1000, TimeSpan.FromSeconds(30));
    private readonly FakeTimeProvider _time = new();
    private readonly TransferWatch _watch;

    public TransferWatchTests() => _watch = new TransferWatch(Pace, _time);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NextAsync_NothingForAWindow_EndsTheTransfer()
    {
        var waiting = _watch.NextAsync(new TaskCompletionSource<bool>().Task, Token);
        Assert.False(waiting.IsCompleted);

        _time.Advance(Pace.Window);

        await Assert.ThrowsAsync<TransferStalledException>(() => waiting);
    }

    [Fact]
    public async Task NextAsync_PieceComesWhileTheWindowEnds_IsNoFaultOfItsOwn()
    {
        var piece = new TaskCompletionSource<bool>();
        var later = new HeldContinuations();
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(later);
        var waiting = _watch.NextAsync(piece.Task, Token);
        SynchronizationContext.SetSynchronizationContext(before);

        _time.Advance(Pace.Window);
        piece.SetResult(true);
        later.Run();

        await Assert.ThrowsAsync<TransferStalledException>(() => waiting);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task NextAsync_DateSetByAnHour_EndsASilentTransferAtItsWindowsEnd(int hours)
    {
        var clock = new JumpingClock(_time);
        var waiting = new TransferWatch(Pace, clock).NextAsync(new TaskCompletionSource<bool>().Task, Token);

        clock.Jump = TimeSpan.FromHours(hours);

        _time.Advance(Pace.Window - TimeSpan.FromSeconds(1));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<TransferStalledException>(() => waiting);
    }

    [Fact]
    public async Task NextAsync_TrickleBelowThePace_EndsTheTransferAtTheWindowsEnd()
    {
        for (var second = 0; second < 30; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            if (second < 29) Assert.True(await _watch.NextAsync(Task.FromResult(true), Token));
            _watch.Moved(999);
        }

        await Assert.ThrowsAsync<TransferStalledException>(() => _watch.NextAsync(Task.FromResult(true), Token));
    }

    [Fact]
    public async Task NextAsync_SlowButAtThePace_MayTakeAnyTime()
    {
        for (var second = 0; second < 3600; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _watch.Moved(1000);
            Assert.True(await _watch.NextAsync(Task.FromResult(true), Token));
        }
    }

    [Fact]
    public async Task NextAsync_BurstThenPauseWithinTheWindow_GoesOn()
    {
        _watch.Moved(30_000);
        var waiting = _watch.NextAsync(Task.Delay(TimeSpan.FromSeconds(45), _time, Token).ContinueWith(_ => true, TaskScheduler.Default), Token);

        _time.Advance(TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromSeconds(15));

        Assert.True(await waiting);
    }

    [Fact]
    public async Task NextAsync_PieceThatFails_GivesItsOwnError() =>
        await Assert.ThrowsAsync<TimeoutException>(() => _watch.NextAsync(Task.FromException<bool>(new TimeoutException()), Token));

    /// <summary>Keeps what comes after an await until it is told to go on.</summary>
    private sealed class HeldContinuations : SynchronizationContext
    {
        private readonly Queue<(SendOrPostCallback Callback, object? State)> _held = [];

        public override void Post(SendOrPostCallback d, object? state) => _held.Enqueue((d, state));

        public void Run()
        {
            while (_held.TryDequeue(out var held)) held.Callback(held.State);
        }
    }
}
