using FedSeg.Cli.Jobs;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Cli.Tests.Jobs;

public sealed class RunWatcherTests
{
    private static readonly RpcException Gone = new(new Status(StatusCode.Unavailable, ""));

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A round says nothing for hours; then the coordinator is started again.</summary>
    [Fact]
    public async Task FollowAsync_CallBreaksAfterALongSilence_GoesOnWithAnotherOne()
    {
        var calls = new Queue<AsyncServerStreamingCall<Run>>([
            Call(new Run { Status = "running" }, afterwards: () => _time.Advance(TimeSpan.FromHours(3))),
            Call(null),
            Call(new Run { Status = "completed" }),
        ]);
        var seen = new List<string>();

        var run = await PassAsync(RunWatcher.FollowAsync(calls.Dequeue, run => seen.Add(run.Status), _time, Token));

        Assert.Equal("completed", run.Status);
        Assert.Equal(["running", "completed"], seen);
    }

    [Fact]
    public async Task FollowAsync_CoordinatorDoesNotComeBack_GivesUpAfterTwoMinutes()
    {
        var started = _time.GetUtcNow();

        await Assert.ThrowsAsync<RpcException>(() => PassAsync(RunWatcher.FollowAsync(() => Call(null), _ => { }, _time, Token)));

        Assert.InRange(_time.GetUtcNow() - started, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(3));
    }

    [Fact]
    public async Task FollowAsync_CoordinatorRefuses_SaysSoAtOnce()
    {
        var refused = new RpcException(new Status(StatusCode.PermissionDenied, "not yours"));

        Assert.Same(refused, await Assert.ThrowsAsync<RpcException>(() => RunWatcher.FollowAsync(() => Call(null, refused), _ => { }, _time, Token)));
    }

    private async Task<Run> PassAsync(Task<Run> following)
    {
        while (!following.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Token);
        }

        return await following;
    }

    /// <summary>A call that says one thing, if that, and breaks.</summary>
    private static AsyncServerStreamingCall<Run> Call(Run? run, RpcException? fault = null, Action? afterwards = null) => new(
        new Reader(run, fault ?? Gone, afterwards), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });

    private sealed class Reader(Run? run, RpcException fault, Action? afterwards) : IAsyncStreamReader<Run>
    {
        private bool _said;

        public Run Current => run!;

        public Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (run is not null && !_said)
            {
                _said = true;
                return Task.FromResult(true);
            }

            afterwards?.Invoke();
            return Task.FromException<bool>(fault);
        }
    }
}
