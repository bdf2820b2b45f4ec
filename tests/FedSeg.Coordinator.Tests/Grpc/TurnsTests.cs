using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using FederationClient = FedSeg.Protocol.V1.Federation.FederationClient;
using RunsClient = FedSeg.Protocol.V1.Runs.RunsClient;

namespace FedSeg.Coordinator.Tests.Grpc;

/// <summary>Several runs that want one site, over real TLS.</summary>
public sealed class TurnsTests(CoordinatorServer server) : IClassFixture<CoordinatorServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Attend_TwoRunsWantTheSite_GetsOneAtATimeAndPeopleSeeTheQueue()
    {
        var site = new FederationClient(server.Dial("west", MemberKind.Site));
        var people = new RunsClient(server.Dial("ada", MemberKind.Person, PersonRole.DataScientist));
        var urgent = JobYaml.Of("west").Replace("name: kidneys", "name: urgent\npriority: high");
        using var attendance = site.Attend(new AttendRequest { Labels = { "kidney", "tumour" } }, cancellationToken: Token);
        var first = await SubmitAsync(people, urgent);
        var plan = await NextPlanAsync(attendance.ResponseStream);
        var second = await SubmitAsync(people, JobYaml.Of("west"));
        var queued = await UntilAsync(people, second, run => run.QueuePosition == 1);

        Assert.Equal(first, plan.Run.ToString());
        Assert.Equal(("queued", $"place 1, behind {first}"), (queued.Rounds[0].Sites[0].State, queued.Rounds[0].Sites[0].Reason));
        Assert.Contains("fedseg_rounds_queued", (await server.AskOperationsAsync("/metrics", Token)).Body);
        // The other test of this class may just be hanging up.
        Assert.InRange(server.Part<SiteTurnBook>().Queued, 1, 2);
        Assert.Equal("high", (await people.ShowAsync(new RunKey { RunId = first }, cancellationToken: Token)).Priority);

        await site.DeclineAsync(new Notice { RunId = first, Round = 1, Reason = nameof(DropReason.TooFewCases) }, cancellationToken: Token);

        Assert.Equal(second, (await NextPlanAsync(attendance.ResponseStream)).Run.ToString());
    }

    [Fact]
    public async Task Attend_WithARoundInHand_GetsNoOther()
    {
        var site = new FederationClient(server.Dial("northwest", MemberKind.Site));
        var people = new RunsClient(server.Dial("ada", MemberKind.Person, PersonRole.DataScientist));
        await SubmitAsync(people, JobYaml.Of("northwest").Replace("name: kidneys", "name: urgent\npriority: high"));
        var inHand = await SubmitAsync(people, JobYaml.Of("northwest"));
        await UntilAsync(people, inHand, run => run.Rounds.Count == 1);

        var request = new AttendRequest { Labels = { "kidney", "tumour" }, InHand = { new RoundKey { RunId = inHand, Round = 1 } } };
        using var attendance = site.Attend(request, cancellationToken: Token);

        Assert.Equal(inHand, (await NextPlanAsync(attendance.ResponseStream)).Run.ToString());
    }

    /// <summary>As after the journal was restored from a backup that is older than the run.</summary>
    [Fact]
    public async Task Attend_HoldingARunThatNobodyKnows_IsReleasedFromIt()
    {
        var site = new FederationClient(server.Dial("southwest", MemberKind.Site));

        using var attendance = site.Attend(new AttendRequest { Labels = { "kidney" }, RunIds = { "run-lost" } }, cancellationToken: Token);

        Assert.True(await attendance.ResponseStream.MoveNext(Token));
        Assert.Equal("run-lost", attendance.ResponseStream.Current.Ended?.RunId);
    }

    private static async Task<string> SubmitAsync(RunsClient people, string yaml)
    {
        var verdict = await people.SubmitAsync(new JobFile { Yaml = yaml }, cancellationToken: Token);
        Assert.Empty(verdict.Problems);
        return verdict.RunId;
    }

    private static async Task<RoundPlan> NextPlanAsync(global::Grpc.Core.IAsyncStreamReader<Assignment> stream)
    {
        while (await stream.MoveNext(Token))
        {
            if (stream.Current.Round is { } round) return RoundPlan.FromBytes(round.Plan.Span);
        }

        throw new InvalidOperationException("The stream ended without a plan.");
    }

    private static async Task<Run> UntilAsync(RunsClient people, string run, Predicate<Run> reached)
    {
        while (true)
        {
            var state = await people.ShowAsync(new RunKey { RunId = run }, cancellationToken: Token);
            if (reached(state)) return state;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
        }
    }
}
