using System.Diagnostics;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;

namespace FedSeg.EndToEnd.Tests;

/// <summary>People decide at a site of real processes, and what they decided outlives a kill.</summary>
public sealed class ReviewTests(PhantomCohorts cohorts)
{
    private const string Password = "a horse with a battery";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryRound_AgentKilledWhileAnUpdateWaits_SendsTheSameBytesOnceApproved()
    {
        await using var federation = new TestFederation(cohorts, "north");
        WritePolicy(federation);
        var desk = Desk(federation);
        await desk.Accounts.SetAsync("anna", DeskRole.PrivacyOfficer, Password, Cancellation);
        await federation.Demo.StartCoordinatorAsync(Cancellation);
        var agent = federation.Demo.StartAgent("north");
        var runId = await federation.SubmitAsync(federation.Job(rounds: 1), Cancellation);
        // First the run itself: nothing is read or trained before somebody agreed.
        await WaitForReviewAsync(federation, runId, () => desk.Ask(book => book.WaitingPlans.Count) == 1);
        Assert.DoesNotContain("Trainer read the cohort", federation.Log("agent-north"));
        var plan = Assert.Single(desk.Ask(book => book.WaitingPlans.ToList()));
        var (code, output) = await ReviewAsync(federation, "approve-plan", plan.Terms.Abbreviated, "--as", "anna");
        Assert.True(code == 0, output);
        await WaitForReviewAsync(federation, runId, () => desk.Ask(book => book.Waiting.Count) == 1);
        var waiting = Assert.Single(desk.Ask(book => book.Waiting.ToList()));

        await federation.Demo.KillAsync(agent);
        federation.Demo.StartAgent("north");
        // The scores of the closing evaluation leave under the same word.
        (code, output) = await ReviewAsync(federation, "approve", waiting.Update.Abbreviated, "--next", "1", "--as", "anna");
        Assert.True(code == 0, output);
        var ended = await federation.WaitForEndAsync(runId, Cancellation);

        Assert.Equal("completed", ended.Status);
        Assert.Equal(waiting.Update.ToString(), ended.Rounds[0].Sites[0].Digest);
        Assert.Equal(2, federation.Log("agent-north").Split("Trainer finished").Length - 1);
        Assert.True(LedgerVerifier.VerifyFolder(federation.Demo.LedgerDirectory("north")).Verified);
        federation.AssertNoErrorsLogged();
    }

    [Fact]
    public async Task Halt_WithoutANetworkWhileTraining_EndsTheTrainerWithinASecondAndTakesTwoPeopleToLift()
    {
        await using var federation = new TestFederation(cohorts, "north");
        var desk = Desk(federation);
        await desk.Accounts.SetAsync("anna", DeskRole.PrivacyOfficer, Password, Cancellation);
        await desk.Accounts.SetAsync("olga", DeskRole.SiteOperator, Password, Cancellation);
        var coordinator = await federation.Demo.StartCoordinatorAsync(Cancellation);
        var agent = federation.Demo.StartAgent("north");
        await federation.SubmitAsync(federation.Job(rounds: 1, steps: 100_000), Cancellation);
        await WaitForAsync(() => federation.Log("agent-north").Contains("Trainer read the cohort", StringComparison.Ordinal));
        await federation.Demo.KillAsync(coordinator);
        Assert.NotEmpty(ChildrenOf(agent.Id));

        using var lateness = new Lateness();
        var started = Stopwatch.GetTimestamp();
        var answer = desk.GiveAsync(new DeskOrder.Halt { Id = NextId(), By = "olga", At = TimeProvider.System.GetUtcNow() }, TimeSpan.FromSeconds(20), Cancellation);
        await WaitForAsync(() => ChildrenOf(agent.Id).Length == 0);
        var took = Stopwatch.GetElapsedTime(started);
        TestContext.Current.TestOutputHelper?.WriteLine($"The trainer was gone after {took.TotalMilliseconds:F0} ms.");
        // What a busy machine keeps everybody waiting is not the switch's doing.
        Assert.True(took - lateness.Worst < TimeSpan.FromSeconds(1), $"The trainer was gone after {took.TotalMilliseconds:F0} ms; timers are up to {lateness.Worst.TotalMilliseconds:F0} ms late.");
        Assert.NotNull(await answer);

        await federation.Demo.KillAsync(agent);
        await federation.Demo.StartCoordinatorAsync(Cancellation);
        federation.Demo.StartAgent("north");
        Assert.Equal("siteHalted", Entries(federation).Last(entry => entry.Action.StartsWith("site", StringComparison.Ordinal)).Action);
        Assert.Equal("haltLiftAsked", (await LiftAsync(desk, "olga"))!.Action);
        Assert.NotNull(DeskClient.RefusalIn((await LiftAsync(desk, "olga"))!));
        Assert.DoesNotContain("Site north attends", federation.Log("coordinator").Split("Resumed").Last());
        Assert.Equal("haltLifted", (await LiftAsync(desk, "anna"))!.Action);
        await WaitForAsync(() => federation.Log("coordinator").Split("Resumed").Last().Contains("Site north attends", StringComparison.Ordinal));
    }

    private static void WritePolicy(TestFederation federation) => File.WriteAllText(
        Path.Combine(federation.Demo.SiteDirectory("north"), "egress-policy.yaml"),
        "maximumUpdateBytes: 100000000\nrunsWithoutCharter: true\nmaximumNorm: 1000\nminimumTrainingCases: 1\nreview: every-round\n");

    private static async Task WaitForReviewAsync(TestFederation federation, string runId, Func<bool> isBeforeTheDesk)
    {
        await WaitForAsync(isBeforeTheDesk);
        await federation.WaitAsync(runId, run => run.Rounds is [{ } first] && first.Sites[0].State == "waiting for review", Cancellation);
    }

    private static DeskClient Desk(TestFederation federation) => new(Path.Combine(federation.Demo.SiteDirectory("north"), "data"), TimeProvider.System);

    private static Task<LedgerEntry?> LiftAsync(DeskClient desk, string by) =>
        desk.GiveAsync(new DeskOrder.Lift { Id = NextId(), By = by, At = TimeProvider.System.GetUtcNow() }, TimeSpan.FromSeconds(30), Cancellation);

    private static IEnumerable<LedgerEntry> Entries(TestFederation federation) => LedgerReader.Open(federation.Demo.LedgerDirectory("north")).Entries();

    private static string NextId() => Guid.NewGuid().ToString("N");

    private static Task<(int Code, string Output)> ReviewAsync(TestFederation federation, params string[] arguments) =>
        federation.ReviewAsync("north", Password, Cancellation, arguments);

    private static int[] ChildrenOf(int parent) =>
    [
        .. Process.GetProcesses().Select(process => process.Id).Where(id =>
        {
            try
            {
                return File.ReadAllText($"/proc/{id}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [not "Z", var parentId, ..]
                    && parentId == parent.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                return false;
            }
        }),
    ];

    private static async Task WaitForAsync(Func<bool> condition)
    {
        for (var attempt = 0; !condition(); attempt++)
        {
            Assert.True(attempt < 3000, "What was waited for did not happen.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }

    /// <summary>How late a timer of this process came at worst.</summary>
    private sealed class Lateness : IDisposable
    {
        private const int IntervalMilliseconds = 10;
        private readonly CancellationTokenSource _stop = new();

        public Lateness() => _ = MeasureAsync();

        public TimeSpan Worst { get; private set; }

        public void Dispose() => _stop.Cancel();

        private async Task MeasureAsync()
        {
            while (!_stop.IsCancellationRequested)
            {
                var started = Stopwatch.GetTimestamp();
                await Task.Delay(TimeSpan.FromMilliseconds(IntervalMilliseconds), TimeProvider.System, CancellationToken.None);
                var late = Stopwatch.GetElapsedTime(started) - TimeSpan.FromMilliseconds(IntervalMilliseconds);
                if (late > Worst) Worst = late;
            }
        }
    }
}
