using System.Collections.Concurrent;
using FedSeg.Cli.Federations;
using FedSeg.Cli.Jobs;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using FedSeg.Testing;
using Grpc.Core;

namespace FedSeg.EndToEnd.Tests;

/// <summary>A thousand bad clients at a coordinator in a process of its own, and what the good ones notice.</summary>
public sealed class HostileSwarmTests
{
    private const int BadClients = 1000, GoodClients = 4;
    private const long MemoryGrowth = 200 << 20;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(10), Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Swarm_OfAThousandBadClients_CostsLittleMemoryAndGoodOnesGoOn()
    {
        using var folder = new TemporaryFolder();
        var cohort = Directory.CreateDirectory(folder["cohort"]).FullName;
        var sites = new Dictionary<string, string> { ["north"] = cohort };
        await using var federation = LocalFederation.Provision(folder["federation"], sites, ["kidney"]);
        using var swarm = new HostileSwarm(FederationAuthority.Open(federation.CoordinatorDirectory, TimeProvider.System));
        var coordinator = await federation.StartCoordinatorAsync(Token);
        var idle = await MeasureAsync(federation, TimeSpan.FromSeconds(2));
        coordinator.Measure();
        var before = coordinator.PeakMemoryBytes;

        var attacked = await UnderAttackAsync(federation, swarm);

        coordinator.Measure();
        var growth = coordinator.PeakMemoryBytes - before;
        // Swarm, good clients and coordinator share this machine's cores, so how long a good call takes says as much of the swarm's own TLS
        // as of the coordinator: it is told here, and judged only by its being answered.
        var figures = $"idle {idle}; attacked {attacked}; memory {before >> 20} MB + {growth >> 20} MB; "
            + string.Join(", ", swarm.Visits.Select(kind => $"{kind.Key} {kind.Value}"));
        TestContext.Current.SendDiagnosticMessage(figures);
        Assert.True(growth <= MemoryGrowth, figures);
        Assert.True(swarm.Visits.Count == 8 && swarm.Visits.Values.Min() >= BadClients / 8, figures);
    }

    private static async Task<Answers> UnderAttackAsync(LocalFederation federation, HostileSwarm swarm)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var attack = swarm.AttackAsync(new Uri($"https://127.0.0.1:{federation.Port}"), BadClients, end.Token);
        var answers = await MeasureAsync(federation, TimeSpan.FromSeconds(5));
        await end.CancelAsync();
        await attack;
        return answers;
    }

    /// <summary>Good clients ask one question after the other, on a connection they hold and on new ones; one without an answer throws.</summary>
    private static async Task<Answers> MeasureAsync(LocalFederation federation, TimeSpan duration)
    {
        var (held, dialled) = (new ConcurrentBag<TimeSpan>(), new ConcurrentBag<TimeSpan>());
        var started = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, GoodClients).Select(_ => AskAsync(held, () => ListAsync(federation.Connection)))
            .Append(AskAsync(dialled, () => DialAsync(federation))));
        return Answers.Of(held, dialled);

        async Task AskAsync(ConcurrentBag<TimeSpan> times, Func<Task> ask)
        {
            while (Waited(started) < duration)
            {
                var asked = TimeProvider.System.GetTimestamp();
                await ask();
                times.Add(Waited(asked));
                await Task.Delay(Between, TimeProvider.System, Token);
            }
        }
    }

    /// <summary>A newcomer's handshake may be the oldest where a thousand crowd: he knocks again, as FedSeg's clients do.</summary>
    private static async Task DialAsync(LocalFederation federation)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var anew = CoordinatorConnection.Open(federation.ProfilePath);
            try
            {
                await ListAsync(anew);
                return;
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.Unavailable && Waited(started) < Patience)
            {
                await Task.Delay(Between, TimeProvider.System, Token);
            }
        }
    }

    private static async Task ListAsync(CoordinatorConnection connection) =>
        await connection.Runs.ListAsync(new ListRunsRequest(), null, TimeProvider.System.GetUtcNow().UtcDateTime + Patience, Token);

    private static TimeSpan Waited(long since) => TimeProvider.System.GetElapsedTime(since);

    private sealed record Answers(int Count, TimeSpan Median, TimeSpan P99, TimeSpan DialledMedian, TimeSpan DialledWorst)
    {
        public static Answers Of(IEnumerable<TimeSpan> held, IEnumerable<TimeSpan> dialled)
        {
            var (calls, dials) = (held.Order().ToList(), dialled.Order().ToList());
            return new Answers(calls.Count, calls[calls.Count / 2], calls[calls.Count * 99 / 100], dials[dials.Count / 2], dials[^1]);
        }

        public override string ToString() =>
            $"{Count} calls in {Ms(Median)}, p99 {Ms(P99)}, dialled in {Ms(DialledMedian)}, at worst {Ms(DialledWorst)}";

        private static string Ms(TimeSpan time) => FormattableString.Invariant($"{time.TotalMilliseconds:F1} ms");
    }
}
