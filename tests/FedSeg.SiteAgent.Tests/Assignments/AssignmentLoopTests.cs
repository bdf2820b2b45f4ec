using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text.Json;
using FedSeg.Egress;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Federation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Faults;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Witnessing;
using FedSeg.SiteAgent.Assignments;
using FedSeg.SiteAgent.Cohort;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Coordinator.Pace;
using FedSeg.SiteAgent.Ledgers;
using FedSeg.SiteAgent.Operations;
using FedSeg.SiteAgent.Review;
using FedSeg.SiteAgent.Training;
using FedSeg.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Tests.Assignments;

/// <summary>A whole agent but for its trainer, attending at a coordinator over real TLS.</summary>
public sealed class AssignmentLoopTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _ledgerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly Logs _logs = new();
    private readonly Meters _meters = new();
    private AttendedCoordinator _coordinator = null!;
    private IOptions<AgentOptions> _options = null!;
    private LedgerWriter _ledger = null!;
    private EgressGate _gate = null!;
    private CoordinatorChannel _channel = null!;
    private TrainerHost _trainer = null!;
    private RoundWork _work = null!;
    private LedgerExchange _ledgers = null!;
    private OrderBox _box = null!;
    private DeskWatch _desk = null!;
    private AgentTelemetry _telemetry = null!;
    private volatile TrainerIsolation _isolation = TrainerIsolation.None;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var authority = FederationAuthority.Create(_folder["authority"], "test", TimeProvider.System);
        _coordinator = await AttendedCoordinator.StartAsync(_folder[""], authority);
        var request = KeyFiles.CreateRequest(_folder["north.key"], "north");
        File.WriteAllText(_folder["north.pem"], authority.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(1)));
        Directory.CreateDirectory(_folder["desk"]);
        var anna = new DeskAccount { Name = "anna", Role = DeskRole.PrivacyOfficer, PasswordHash = "" };
        File.WriteAllBytes(_folder["desk", "accounts.json"], JsonSerializer.SerializeToUtf8Bytes(new[] { anna }, FederationJson.Options));
        // A trainer can't even be started: what it says would go to a file that is a folder.
        Directory.CreateDirectory(_folder["reports", "trainer.txt"]);
        _options = Options.Create(new AgentOptions
        {
            Site = "north",
            Coordinator = _coordinator.Address,
            Certificate = _folder["north.pem"],
            PrivateKey = _folder["north.key"],
            Authority = authority.CertificatePath,
            DataDirectory = _folder[""],
            Cohort = new CohortOptions { Directory = _folder[""], Labels = { ["kidney"] = [], ["tumour"] = [] } },
        });
        _ledger = LedgerWriter.Open(_folder["ledger"], "fedseg/site/north", _ledgerKey, TimeProvider.System);
        var egress = new EgressOptions
        {
            Site = SiteId.Parse("north"),
            Recipient = _options.Value.Coordinator,
            PolicyPath = _folder["policy.yaml"],
            OutboxDirectory = _folder["outbox"],
            DeskDirectory = _folder["desk"],
            AuthorityPath = authority.CertificatePath,
        };
        _gate = new EgressGate(egress, _ledger, TimeProvider.System, RandomNumberGenerator.Create(), Failpoints.None);
        _channel = new CoordinatorChannel(_options, TimeProvider.System);
        _trainer = new TrainerHost(_options, TimeProvider.System, NullLogger<TrainerHost>.Instance)
        {
            Detect = _ => Task.FromResult(_isolation),
        };
        var client = new CoordinatorClient(_channel, Pace(), TimeProvider.System);
        var blind = new BlindContribution(client, new BlindPeer(_channel), _gate, _options, TimeProvider.System, NullLogger<BlindContribution>.Instance);
        var slots = new ReadySlots(_options, TimeProvider.System, RandomNumberGenerator.Create(), NullLogger<ReadySlots>.Instance);
        _work = new RoundWork(client, _trainer, _gate, Failpoints.None, blind, slots, TimeProvider.System, _options, NullLogger<RoundWork>.Instance);
        var witness = new Witness(_folder["witnessed"], "fedseg/site/north", _ledgerKey, TimeProvider.System);
        _ledgers = new LedgerExchange(new LedgerPeer(_channel), _ledger, witness, NullLogger<LedgerExchange>.Instance);
        _box = new OrderBox(_folder["desk", "orders"]);
        _desk = new DeskWatch(_gate, _box, TimeProvider.System, NullLogger<DeskWatch>.Instance);
        _telemetry = new AgentTelemetry(_meters, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        _telemetry.Dispose();
        _meters.Dispose();
        _desk.Dispose();
        _ledgers.Dispose();
        _work.Dispose();
        await _trainer.DisposeAsync();
        _channel.Dispose();
        _gate.Dispose();
        _ledger.Dispose();
        _ledgerKey.Dispose();
        await _coordinator.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>What nobody foresaw in a step is that round's misfortune: the coordinator hears of it, and the site goes on with others.</summary>
    [Fact]
    public async Task Execute_StepsThatBreak_AreToldToTheCoordinatorAndTheNextRoundIsBegun()
    {
        WritePolicy(ApprovedPlans.StandingApproval);
        var other = Plans.Good() with { Run = RunId.Parse("run-other") };
        _coordinator.Rounds = [Plans.Good(), other];
        // Where the models arrive are folders, which is no fault of the disk.
        foreach (var plan in _coordinator.Rounds) Directory.CreateDirectory(_folder["models", plan.Run.ToString(), plan.BaseModel + ".safetensors.part"]);
        using var loop = Loop();
        await loop.StartAsync(Token);

        await _coordinator.UntilAsync(() => _coordinator.Declined.Count == 2, Token);
        await loop.StopAsync(Token);

        Assert.Equal(["run-test", "run-other"], _coordinator.Declined.Select(notice => notice.RunId));
        Assert.All(_coordinator.Declined, notice => Assert.Equal(nameof(DropReason.TrainerFault), notice.Reason));
        Assert.Contains(_logs.Lines, line => line.Contains("FetchModel of run-test round 1", StringComparison.Ordinal) && line.Contains(nameof(UnauthorizedAccessException), StringComparison.Ordinal));
        Assert.Contains(_logs.Lines, line => line.Contains("Could not look at the cohort", StringComparison.Ordinal));
    }

    /// <summary>The clock breaks, and with it the loop that attends. The others wait for what never comes.</summary>
    [Fact]
    public async Task Execute_OneOfItsLoopsBreaks_EndsWithItsFault()
    {
        WritePolicy("");
        _coordinator.Rounds = [];
        await _coordinator.DisposeAsync();
        using var loop = Loop(new BrokenClock());
        await loop.StartAsync(Token);

        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => loop.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(60), Token));

        Assert.Equal(BrokenClock.Words, fault.Message);
    }

    /// <summary>Whoever leaves a study in the middle of a round says so: the coordinator must not wait for the site until the deadline.</summary>
    [Fact]
    public async Task Execute_SiteLeavesAStudyInTheMiddleOfARound_DeclinesItOnANewConnection()
    {
        WritePolicy("");
        var plan = Plans.Good() with { Study = StudyId.Parse("kidneys") };
        _coordinator.Rounds = [plan];
        // As after an earlier round under a charter: the site knows whose run it is.
        await _ledger.AppendAsync(
            "planOutsideCharter", new Dictionary<string, string> { ["run"] = plan.Run.ToString(), ["round"] = "1", ["study"] = "kidneys", ["why"] = "-" });
        await _desk.StartAsync(Token);
        using var loop = Loop();
        await loop.StartAsync(Token);
        // Nobody has approved its terms, so it waits for a person.
        await _coordinator.UntilAsync(() => !_coordinator.Awaited.IsEmpty, Token);

        _box.Place(new DeskOrder.LeaveStudy { Id = new string('a', 32), By = "anna", At = DateTimeOffset.UnixEpoch, Study = plan.Study.Value });
        await _coordinator.UntilAsync(() => !_coordinator.Declined.IsEmpty, Token);
        await loop.StopAsync(Token);
        await _desk.StopAsync(Token);

        Assert.Equal(nameof(DropReason.PlanRefused), _coordinator.Declined.Single().Reason);
        Assert.Equal(2, _coordinator.Attendances.Count);
        Assert.Empty(_coordinator.Attendances.Last().RunIds);
        Assert.Empty(_coordinator.Attendances.Last().InHand);
    }

    /// <summary>Without a policy not even a notice may leave. The coordinator asks once on a connection, so the site must come again when the policy is there.</summary>
    [Fact]
    public async Task Execute_RoundThatCouldNotEvenBeDeclined_IsAnsweredOnALaterConnection()
    {
        _coordinator.Rounds = [Plans.Good()];
        using var loop = Loop();
        await loop.StartAsync(Token);
        await _coordinator.UntilAsync(() => _coordinator.Attendances.Count == 2, Token);

        WritePolicy("");
        await _coordinator.UntilAsync(() => !_coordinator.Awaited.IsEmpty, Token);
        await loop.StopAsync(Token);

        Assert.Empty(_coordinator.Attendances.ElementAt(1).InHand);
    }

    /// <summary>
    /// Somebody replays an old plan, or a clock is wrong: it is not begun. Nor is it declined, which would be final for the round, so that a clock set right in the middle loses
    /// nothing.
    /// </summary>
    [Theory]
    [InlineData(-3, "expired")]
    [InlineData(1, "notYet")]
    public async Task Execute_PlanOfAnotherTime_IsNeitherShownNorTrained_AndAskedForAgain(int hours, string why)
    {
        WritePolicy(ApprovedPlans.StandingApproval);
        _coordinator.Rounds = [Plans.Good()];
        Directory.CreateDirectory(_folder["models", "run-test", Plans.Good().BaseModel + ".safetensors.part"]); // the round itself ends soon
        _coordinator.Sign = (signer, plan) => signer.Sign(plan, "north", TimeProvider.System.GetUtcNow() + TimeSpan.FromHours(_coordinator.Attendances.Count == 1 ? hours : 0));
        using var loop = Loop();
        await loop.StartAsync(Token);

        await _coordinator.UntilAsync(() => _coordinator.Attendances.Count == 2, Token);
        var before = LedgerReader.Open(_folder["ledger"]).Entries().ToList();
        Assert.Equal(("planUnproven", why), (before[0].Action, before[0].Facts["why"]));
        await _coordinator.UntilAsync(() => !_coordinator.Declined.IsEmpty, Token);
        await loop.StopAsync(Token);

        Assert.Equal(nameof(DropReason.TrainerFault), _coordinator.Declined.Single().Reason);
        var entries = LedgerReader.Open(_folder["ledger"]).Entries().ToList();
        Assert.Single(entries, entry => entry.Action == "planUnproven");
        Assert.Single(entries, entry => entry.Action == "roundOrdered");
    }

    [Fact]
    public async Task Execute_UpdateThatWasNotSent_IsSentBeforeTheFirstAttendance()
    {
        WritePolicy("");
        await LeaveUnsentAsync();
        using var loop = Loop();
        await loop.StartAsync(Token);

        await _coordinator.UntilAsync(() => !_coordinator.Attendances.IsEmpty, Token);
        Assert.Single(_coordinator.Uploads);
        await loop.StopAsync(Token);
    }

    /// <summary>
    /// Out of hours it waits with its round. Looked for later, beside a round that is being worked on, what that one is about to seal would
    /// be tidied away.
    /// </summary>
    [Fact]
    public async Task Execute_UpdateThatWasNotSentOutOfHours_IsNotLookedForAtALaterAttendance()
    {
        WritePolicy("");
        await LeaveUnsentAsync();
        var clock = new TimersNoticed();
        clock.SetLocalTimeZone(TimeZoneInfo.Utc);
        clock.Advance(TimeSpan.FromHours(12));
        var night = new PaceOptions { OnlyInWindows = true, Windows = [new PaceWindowOptions { Hours = "22:00-06:00" }] };
        using var loop = Loop(clock, new SitePace(Options.Create(new AgentOptions { Pace = night }), clock, NullLogger<SitePace>.Instance));
        await loop.StartAsync(Token);
        await _coordinator.UntilAsync(() => _coordinator.Attendances.Count == 1, Token);

        clock.Advance(TimeSpan.FromHours(11));
        await AttendAgainAsync(clock);

        Assert.Empty(_coordinator.Uploads);
        await loop.StopAsync(Token);
    }

    /// <summary>That a trainer could not be cut off when it was tried first must not be held against the site for ever.</summary>
    [Fact]
    public async Task Execute_IsolationThatFailedAtTheStart_IsToldAnewAtEachAttendance()
    {
        WritePolicy("");
        var clock = new TimersNoticed();
        using var loop = Loop(clock);
        await loop.StartAsync(Token);
        await _coordinator.UntilAsync(() => _coordinator.Attendances.Count == 1, Token);

        _isolation = new TrainerIsolation(["env"]);
        await AttendAgainAsync(clock);

        Assert.Equal([false, true], _coordinator.Attendances.Select(attendance => attendance.TrainerIsolated));
        await loop.StopAsync(Token);
    }

    /// <summary>The gate approved an update, and then the agent was stopped.</summary>
    private async Task LeaveUnsentAsync()
    {
        var update = ClearedUpdates.Make(Plans.Good(), _folder["delta"]);
        Assert.IsType<EgressOutcome.Cleared>(await _gate.ClearAsync(Plans.Good(), update, Token));
    }

    private async Task AttendAgainAsync(TimersNoticed clock)
    {
        _coordinator.HangUp();
        clock.Advance(await clock.NextAsync(Token));
        await _coordinator.UntilAsync(() => _coordinator.Attendances.Count == 2, Token);
    }

    private void WritePolicy(string more) =>
        _folder.Write("policy.yaml", "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\nreview: auto-within-bounds\n" + more);

    private SitePace Pace() => new(_options, TimeProvider.System, NullLogger<SitePace>.Instance);

    private AssignmentLoop Loop(TimeProvider? clock = null, SitePace? pace = null) => new(
        new CoordinatorClient(_channel, Pace(), TimeProvider.System),
        _work,
        _trainer,
        new Preflight(_trainer, Pace(), NullLogger<Preflight>.Instance),
        _ledgers,
        _desk,
        pace ?? Pace(),
        _telemetry,
        _options,
        clock ?? TimeProvider.System,
        _logs);

    private sealed class BrokenClock : TimeProvider
    {
        public const string Words = "The clock is broken.";

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => throw new InvalidOperationException(Words);
    }

    private sealed class Meters : IMeterFactory
    {
        private Meter? _meter;

        public Meter Create(MeterOptions options) => _meter ??= new Meter(options);

        public void Dispose() => _meter?.Dispose();
    }

    private sealed class Logs : ILogger<AssignmentLoop>
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{formatter(state, exception)} {exception?.GetType().Name}");
    }
}
