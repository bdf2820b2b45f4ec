using FedSeg.Coordinator.People;
using FedSeg.Coordinator.Sites;
using FedSeg.Hosting.Certificates;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Tests.Sites;

public sealed class LiveCallsTests : IDisposable
{
    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task CallThatEndsWhileItIsCut_TheNextOneIsCutAllTheSame()
    {
        var settings = Options.Create(_coordinator.Settings);
        var register = new MemberRegister(settings, NullLogger<MemberRegister>.Instance);
        var federation = new FederationTrust(_coordinator.Settings.Authority, _coordinator.Time);
        var trust = new MemberTrust(federation, settings, NullLogger<MemberTrust>.Instance);
        using var certificate = KeyFiles.LoadAuthority(_coordinator.Settings.Certificate);
        var people = new TokenPeople(settings, register);
        using var live = new LiveCalls(register, trust, people, _coordinator.Time, NullLogger<LiveCalls>.Instance);
        await live.StartAsync(CoordinatorOnDisk.Token);
        var (ended, other) = (new Call(hasEnded: true), new Call(hasEnded: false));
        var over = new TaskCompletionSource();

        // The certificate is nobody's.
        var following = Follow(ended);
        await UntilCutAsync(ended);
        following = Task.WhenAll(following, Follow(other));
        await UntilCutAsync(other);

        over.SetResult();
        await following;
        await live.StopAsync(CoordinatorOnDisk.Token);

        Task Follow(Call lifetime)
        {
            var call = new DefaultHttpContext();
            call.Connection.ClientCertificate = certificate;
            call.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
            return live.FollowAsync(call, _ => over.Task);
        }

        async Task UntilCutAsync(Call lifetime)
        {
            while (!lifetime.Cut.IsCompleted)
            {
                Assert.False(live.ExecuteTask!.IsCompleted, "Nobody looks after the calls any more.");
                _coordinator.Time.Advance(TimeSpan.FromSeconds(5));
                await Task.WhenAny(lifetime.Cut, Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CoordinatorOnDisk.Token));
            }
        }
    }

    /// <summary>A call that can be cut, or has ended and says so as ASP.NET Core does.</summary>
    private sealed class Call(bool hasEnded) : IHttpRequestLifetimeFeature
    {
        private readonly TaskCompletionSource _cut = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Cut => _cut.Task;

        public CancellationToken RequestAborted { get; set; }

        public void Abort()
        {
            _cut.TrySetResult();
            ObjectDisposedException.ThrowIf(hasEnded, this);
        }
    }
}
