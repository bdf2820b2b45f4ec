using FedSeg.Cli.Federations;
using FedSeg.Cli.Jobs;
using FedSeg.Protocol.V1;
using Grpc.Core;

namespace FedSeg.EndToEnd.Tests;

/// <summary>A disk that takes what is written and then does not confirm it, under the real programs.</summary>
public sealed class DiskFailureTests
{
    private const string NoStrace = "strace can't attach to a process here; a failing disk was not tested.";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DiskThatConfirmsNothing_EndsCoordinatorAndAgentBeforeTheyRelyOnIt_AndNothingIsLost()
    {
        await using var federation = new CrashFederation();
        var coordinator = federation.Start(CrashFederation.Coordinator);
        Assert.NotNull(await federation.BackAsync(CrashFederation.Coordinator, Token));

        using (var disk = await FailingDisk.UnderAsync(coordinator.Id, Token))
        {
            Assert.SkipWhen(disk is null, NoStrace);
            await Assert.ThrowsAsync<RpcException>(() => SubmitAsync(federation));
            await EndsOfItsDiskAsync(federation, CrashFederation.Coordinator, coordinator);
        }

        await federation.RestartAsync(CrashFederation.Coordinator);
        Assert.NotNull(await federation.BackAsync(CrashFederation.Coordinator, Token));
        var agent = federation.Start(CrashFederation.North);
        Assert.NotNull(await federation.BackAsync(CrashFederation.North, Token));
        using (var disk = await FailingDisk.UnderAsync(agent.Id, Token))
        {
            Assert.SkipWhen(disk is null, NoStrace);
            await SubmitAsync(federation);
            await EndsOfItsDiskAsync(federation, CrashFederation.North, agent);
        }

        await federation.RestartAsync(CrashFederation.North);
        federation.Start(CrashFederation.South);
        await federation.AssertNothingLostAsync(await federation.EndAsync(Token), Token);
    }

    private static async Task SubmitAsync(CrashFederation federation)
    {
        using var connection = CoordinatorConnection.Open(federation.Local.ProfilePath);
        await connection.Runs.SubmitAsync(new JobFile { Yaml = CrashFederation.Job(rounds: 1) }, cancellationToken: Token);
    }

    private static async Task EndsOfItsDiskAsync(CrashFederation federation, string name, LocalProcess process)
    {
        await federation.UntilAsync(() => process.HasExited, $"{name} goes on with a disk that fails", Token);
        await federation.UntilAsync(() => federation.LogCount(name, "The disk failed under") > 0, $"{name} ended of something else", Token);
    }
}
