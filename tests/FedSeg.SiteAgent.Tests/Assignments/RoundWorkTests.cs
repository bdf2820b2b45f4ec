using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using FedSeg.Egress;
using FedSeg.Egress.Tests;
using FedSeg.Federation.Assignments;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Faults;
using FedSeg.Hosting.Programs;
using FedSeg.Ledger.Storage;
using FedSeg.SiteAgent.Assignments;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Coordinator.Pace;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.SiteAgent.Tests.Assignments;

public sealed class RoundWorkTests : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("fedseg-round-").FullName;
    private readonly TcpListener _deafCoordinator = new(IPAddress.Loopback, 0);
    private readonly ECDsa _ledgerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly LedgerWriter _ledger;
    private readonly CoordinatorChannel _channel;
    private readonly TrainerHost _trainer;
    private readonly RoundWork _work;
    private readonly FakeTimeProvider _gateTime = new(TimeProvider.System.GetUtcNow());
    private readonly RoundPlan _plan = Plans.Good();
    private readonly SigningCoordinator _coordinator;
    private readonly TimersNoticed _time = new();
    private readonly IOptions<AgentOptions> _options;
    private readonly EgressGate _gate;

    public RoundWorkTests()
    {
        _deafCoordinator.Start();
        var authority = FederationAuthority.Create(Path.Combine(_root, "authority"), "test", TimeProvider.System);
        _coordinator = SigningCoordinator.Of(authority, "127.0.0.1");
        var request = KeyFiles.CreateRequest(Path.Combine(_root, "north.key"), "north");
        File.WriteAllText(Path.Combine(_root, "north.pem"), authority.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(1)));
        File.WriteAllText(Path.Combine(_root, "egress-policy.yaml"), "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\nreview: auto-within-bounds\n"
            + "plansWithin: { maximumRounds: 100, maximumStepsPerRound: 1000, maximumParameters: 50000000, fingerprints: true }\n");
        var options = _options = Options.Create(new AgentOptions
        {
            Site = "north",
            Coordinator = $"https://127.0.0.1:{((IPEndPoint)_deafCoordinator.LocalEndpoint).Port}",
            Certificate = Path.Combine(_root, "north.pem"),
            PrivateKey = Path.Combine(_root, "north.key"),
            Authority = authority.CertificatePath,
            DataDirectory = _root,
            Cohort = new CohortOptions { Directory = _root, Labels = { ["kidney"] = [] } },
            Trainer = new TrainerOptions { Path = ProgramFiles.Find("FedSeg.FakeTrainer"), Device = "cpu" },
            Pace = new PaceOptions { ReadyEveryMinutes = 15 },
        });
        _ledger = LedgerWriter.Open(Path.Combine(_root, "ledger"), "fedseg/site/north", _ledgerKey, TimeProvider.System);
        var egress = new EgressOptions
        {
            Site = SiteId.Parse("north"),
            Recipient = options.Value.Coordinator,
            PolicyPath = Path.Combine(_root, "egress-policy.yaml"),
            OutboxDirectory = Path.Combine(_root, "outbox"),
            DeskDirectory = Path.Combine(_root, "desk"),
            AuthorityPath = options.Value.Authority,
        };
        _channel = new CoordinatorChannel(options, TimeProvider.System);
        _trainer = new TrainerHost(options, TimeProvider.System, NullLogger<TrainerHost>.Instance);
        var gate = _gate = new EgressGate(egress, _ledger, _gateTime, RandomNumberGenerator.Create(), Failpoints.None);
        var client = new CoordinatorClient(_channel, new SitePace(options, TimeProvider.System, NullLogger<SitePace>.Instance),
            TimeProvider.System);
        var blind = new BlindContribution(
            client, new BlindPeer(_channel), gate, options, TimeProvider.System, NullLogger<BlindContribution>.Instance);
        var slots = new ReadySlots(options, _time, RandomNumberGenerator.Create(), NullLogger<ReadySlots>.Instance);
        _work = new RoundWork(client, _trainer, gate, Failpoints.None, blind, slots, _time, options, NullLogger<RoundWork>.Instance);
    }

    private PlanSignature Signature(RoundPlan plan, TimeSpan? life = null) => _coordinator.Sign(plan, "north", _gateTime.GetUtcNow(), life).Signature;

    private LedgerEntry[] Entries => [.. LedgerReader.Open(Path.Combine(_root, "ledger")).Entries()];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DoAsync_RunEndsDuringACall_IsACancellation()
    {
        using var runEnded = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Assert.IsType<AssignmentInput.NoticeCleared>(await _work.DoAsync(new AssignmentEffect.ClearNotice(_plan, DropReason.PlanRefused), Token));
        // The coordinator takes the connection and says nothing.
        var sending = _work.DoAsync(new AssignmentEffect.SendNotice(_plan, DropReason.PlanRefused), runEnded.Token);
        using var connection = await _deafCoordinator.AcceptTcpClientAsync(Token);

        await runEnded.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    [Fact]
    public async Task DoAsync_ClearNotice_IsInTheLedgerAndNothingHasLeft()
    {
        await _work.DoAsync(new AssignmentEffect.ClearNotice(_plan, DropReason.PlanRefused), Token);

        Assert.Equal("noticeCleared", Assert.Single(LedgerReader.Open(Path.Combine(_root, "ledger")).Entries()).Action);
        Assert.False(_deafCoordinator.Pending());
    }

    /// <summary>The plan's tumour is no label of this site.</summary>
    [Fact]
    public async Task Approves_PlanWithALabelTheSiteHasNot_IsFalse()
    {
        Assert.Equal(new AssignmentInput.RoundAssigned(_plan, Approved: false), await _work.JudgeAsync(_plan, Signature(_plan)));
        var other = _plan with { Labels = ["kidney"], Architecture = _plan.Architecture with { Classes = 2 } };
        Assert.Equal(new AssignmentInput.RoundAssigned(other, Approved: true), await _work.JudgeAsync(other, Signature(other)));
    }

    /// <summary>It says nothing about the run: the coordinator hands it out anew.</summary>
    [Fact]
    public async Task DoAsync_RecallOfAPlanWhoseSignatureHasEnded_LeavesTheRoundUntilItIsSignedAnew()
    {
        await _work.JudgeAsync(_plan, Signature(_plan, TimeSpan.Zero));
        _gateTime.Advance(TimeSpan.FromMinutes(6));

        Assert.IsType<AssignmentInput.Lapsed>(await _work.DoAsync(new AssignmentEffect.Recall(_plan), Token));
        Assert.Equal(("planUnproven", "expired"), (Entries[^1].Action, Entries[^1].Facts["why"]));

        await _work.JudgeAsync(_plan, Signature(_plan));
        Assert.IsType<AssignmentInput.Recalled>(await _work.DoAsync(new AssignmentEffect.Recall(_plan), Token));
        Assert.Equal("roundOrdered", Entries[^1].Action);
    }

    /// <summary>The kill switch stops a round, not the run: its split, its control variate and the site's own weights are needed when it goes on.</summary>
    [Fact]
    public async Task StopRunAsync_OfARunThatGoesOn_KeepsItsState_AndEndRunAsyncDoesNot()
    {
        var state = Directory.CreateDirectory(Path.Combine(_root, "state", _plan.Run.ToString())).FullName;
        File.WriteAllText(Path.Combine(state, "split.json"), "{}");

        await _work.StopRunAsync(_plan.Run);
        Assert.True(File.Exists(Path.Combine(state, "split.json")));

        await _work.EndRunAsync(_plan.Run);
        Assert.False(Directory.Exists(state));
    }

    [Fact]
    public async Task RecoverAsync_LeftoversOfAKill_AreGone()
    {
        var leftover = Directory.CreateDirectory(Path.Combine(_root, "work", "run-killed-3")).FullName;
        File.WriteAllText(Path.Combine(leftover, "update.safetensors"), "x");

        Assert.Empty(await _work.RecoverAsync(Token));

        Assert.False(Directory.Exists(leftover));
    }

    /// <summary>The machine went down between the entry and the wiping.</summary>
    [Fact]
    public async Task RecoverAsync_StudyThatWasLeft_KeepsNothingOfItsRuns()
    {
        foreach (var run in new[] { "run-left", "run-other" })
        {
            Directory.CreateDirectory(Path.Combine(_root, "state", run, "cases"));
            Directory.CreateDirectory(Path.Combine(_root, "personal"));
            File.WriteAllText(Path.Combine(_root, "personal", run + ".safetensors"), "x");
            await _ledger.AppendAsync(
                "planOutsideCharter", new Dictionary<string, string> { ["run"] = run, ["round"] = "1", ["study"] = run == "run-left" ? "kidneys" : "lungs", ["why"] = "-" });
        }

        await _ledger.AppendAsync("studyLeft", new Dictionary<string, string> { ["study"] = "kidneys", ["by"] = "anna" });
        var held = await _work.RecoverAsync(Token);

        // Of the other one something is here, and it may have ended: the coordinator is asked.
        Assert.Equal([RunId.Parse("run-other")], held);
        Assert.Equal(["run-other"], Directory.GetDirectories(Path.Combine(_root, "state")).Select(Path.GetFileName));
        Assert.Equal(["run-other.safetensors"], Directory.GetFiles(Path.Combine(_root, "personal")).Select(Path.GetFileName));
    }

    /// <summary>A failure too: how soon something is heard of a round must not tell how long it took.</summary>
    [Fact]
    public async Task DoAsync_Train_EndsNoEarlierThanItsSlot()
    {
        await _work.JudgeAsync(_plan, Signature(_plan));
        await _work.DoAsync(new AssignmentEffect.Recall(_plan), Token);
        var training = _work.DoAsync(new AssignmentEffect.Train(_plan), Token);
        var wait = await _time.NextAsync(Token);

        Assert.InRange(wait, TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(16.5));
        Assert.False(training.IsCompleted);
        _time.Advance(wait);
        Assert.True(await training is AssignmentInput.Trained or AssignmentInput.TrainingFailed);
    }

    /// <summary>To the coordinator a round that could not be done is over; a full disk is none of its business.</summary>
    [Theory]
    [InlineData(RoundTask.Train)]
    [InlineData(RoundTask.Fingerprint)]
    public async Task DoAsync_TrainerMetAFullDisk_IsADisksFaultThatIsTriedAgain(RoundTask task)
    {
        _options.Value.Trainer.Device = "full";
        var plan = _plan with { Task = task };
        await _work.JudgeAsync(plan, Signature(plan));
        Assert.IsType<AssignmentInput.Recalled>(await _work.DoAsync(new AssignmentEffect.Recall(plan), Token));

        // An answer would wait for its slot, on a clock that stands still.
        var training = _work.DoAsync(new AssignmentEffect.Train(plan), Token);
        await Assert.ThrowsAsync<IOException>(() => training.WaitAsync(TimeSpan.FromMinutes(1), Token));
    }

    /// <summary>The federation's c is the mean of what arrived: one whose change was refused would set the site apart from it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DoAsync_RecordSent_ControlVariateCountsIfItsUpdateArrived(bool accepted)
    {
        var state = Directory.CreateDirectory(Path.Combine(_root, "state", _plan.Run.ToString())).FullName;
        Directory.CreateDirectory(Path.Combine(state, "1"));
        File.WriteAllText(OwnControlFiles.UnsentPathOf(state, 1), "c");
        var trained = ClearedUpdates.Make(_plan, Path.Combine(_root, "delta"));
        Assert.IsType<EgressOutcome.Cleared>(await _gate.ClearAsync(_plan, trained, Token));
        var update = Assert.IsType<AssignmentInput.Recalled>(await _work.DoAsync(new AssignmentEffect.Recall(_plan), Token)).Update!.Value;
        Assert.False(File.Exists(OwnControlFiles.PathOf(state, 1)));

        await _work.DoAsync(new AssignmentEffect.RecordSent(_plan, update, accepted), Token);

        Assert.Equal(accepted, File.Exists(OwnControlFiles.PathOf(state, 1)));
        Assert.Equal(!accepted, File.Exists(OwnControlFiles.UnsentPathOf(state, 1)));
    }

    /// <summary>Only what the gate cleared can be sent, whatever the protocol asks for.</summary>
    [Fact]
    public async Task DoAsync_SendOfAnUpdateThatWasNotCleared_Throws() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => _work.DoAsync(new AssignmentEffect.SendUpdate(_plan, Sha256Digest.Of("update"u8)), Token));

    public async ValueTask DisposeAsync()
    {
        _work.Dispose();
        await _trainer.DisposeAsync();
        _channel.Dispose();
        _coordinator.Dispose();
        _ledger.Dispose();
        _ledgerKey.Dispose();
        _deafCoordinator.Dispose();
        Directory.Delete(_root, recursive: true);
    }
}
