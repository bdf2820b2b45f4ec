using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.Egress;
using FedSeg.Egress.Outbox;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Faults;
using FedSeg.Ledger.Storage;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Server;
using FedSeg.SiteAgent.Assignments;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Coordinator.Pace;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Tests.Assignments;

/// <summary>
/// An agent in a blind round: with an honest coordinator it helps to the end; one that cheats gets nothing, and the site's ledger says why.
/// </summary>
public sealed class BlindContributionTests : IAsyncLifetime
{
    private static readonly SiteId Site = SiteId.Parse("north");
    private static readonly ImmutableArray<SiteId> Sites = [.. new[] { "east", "north", "south", "up", "west" }.Select(site =>
        SiteId.Parse(site))];

    private readonly string _root = Directory.CreateTempSubdirectory("fedseg-blind-").FullName;
    private readonly ECDsa _ledgerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RoundPlan _plan = PlanOf(1, "model");
    private readonly TaskCompletionSource _waits = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FederationAuthority _authority = null!;
    private ScriptedCoordinator _coordinator = null!;
    private LedgerWriter _ledger = null!;
    private CoordinatorChannel _channel = null!;
    private EgressGate _gate = null!;
    private BlindContribution _contribution = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private List<LedgerEntry> Entries => [.. LedgerReader.Open(Path.Combine(_root, "ledger")).Entries()];

    public async ValueTask InitializeAsync()
    {
        _authority = FederationAuthority.Create(Path.Combine(_root, "authority"), "test", TimeProvider.System);
        _coordinator = await ScriptedCoordinator.StartAsync(_root, _authority, _plan, Site);
        var request = KeyFiles.CreateRequest(Path.Combine(_root, "north.key"), "north");
        File.WriteAllText(Path.Combine(
            _root, "north.pem"), _authority.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(1)));
        File.WriteAllText(
            Path.Combine(_root, "egress-policy.yaml"),
            "maximumUpdateBytes: 10000000\nrunsWithoutCharter: true\nmaximumNorm: 1000\nminimumTrainingCases: 1\nreview: auto-within-bounds\n");
        var options = Options.Create(new AgentOptions
        {
            Site = "north",
            Coordinator = _coordinator.Address,
            Certificate = Path.Combine(_root, "north.pem"),
            PrivateKey = Path.Combine(_root, "north.key"),
            Authority = _authority.CertificatePath,
            DataDirectory = _root,
        });
        _ledger = LedgerWriter.Open(Path.Combine(_root, "ledger"), "fedseg/site/north", _ledgerKey, TimeProvider.System);
        var egress = new EgressOptions
        {
            Site = Site,
            Recipient = _coordinator.Address,
            PolicyPath = Path.Combine(_root, "egress-policy.yaml"),
            OutboxDirectory = Path.Combine(_root, "outbox"),
            DeskDirectory = Path.Combine(_root, "desk"),
            AuthorityPath = _authority.CertificatePath,
        };
        _gate = new EgressGate(egress, _ledger, TimeProvider.System, RandomNumberGenerator.Create(), Failpoints.None);
        _channel = new CoordinatorChannel(options, TimeProvider.System);
        _contribution = new BlindContribution(
            new CoordinatorClient(_channel, new SitePace(options, TimeProvider.System, NullLogger<SitePace>.Instance),
                TimeProvider.System), new BlindPeer(
                _channel), _gate, options, TimeProvider.System, new Waits(_waits));
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        _gate.Dispose();
        _ledger.Dispose();
        _ledgerKey.Dispose();
        await _coordinator.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task Contribute_HonestCoordinator_HelpsToUnmaskTheSum()
    {
        var delivered = Assert.IsType<BlindResult.Delivered>(await ContributeAsync());

        Assert.True(delivered.Answer.Accepted);
        Assert.Equal([SumStage.Keys, SumStage.Shares, SumStage.Confirmations, SumStage.Disclosures], _coordinator.Said);
        Assert.Equal(3 * _plan.Manifest().ParameterCount, _coordinator.Uploaded);
        Assert.True(_coordinator.CanUnmask);
        Assert.DoesNotContain(Entries, entry => entry.Action == "blindAborted");
    }

    [Fact]
    public async Task Contribute_RosterWithAnotherModel_EndsBeforeAnythingIsDealt() => await AssertAbortedAsync(
        SumStage.Keys, _ => ScriptedCoordinator.RosterOf(
            _root, _authority, PlanOf(1, "another model")), AbortReason.ModelsDiffer, [SumStage.Keys], masks: false);

    [Fact]
    public async Task Contribute_RosterOfAnEarlierRound_EndsBeforeAnythingIsDealt() => await AssertAbortedAsync(
        SumStage.Keys, _ => ScriptedCoordinator.RosterOf(
            _root, _authority, PlanOf(2, "model")), AbortReason.Replayed, [SumStage.Keys], masks: false);

    [Fact]
    public async Task Contribute_RosterOfMadeUpSites_EndsBeforeAnythingIsDealt()
    {
        var mallory = FederationAuthority.Create(Path.Combine(_root, "mallory"), "test", TimeProvider.System);

        await AssertAbortedAsync(
            SumStage.Keys, _ => ScriptedCoordinator.RosterOf(
                _root, mallory, _plan), AbortReason.CertificateRefused, [SumStage.Keys], masks: false);
    }

    [Fact]
    public async Task Contribute_RosterWithAnotherKeyOfThisSite_EndsBeforeAnythingIsDealt() => await AssertAbortedAsync(
        SumStage.Keys, _ => ScriptedCoordinator.RosterOf(
            _root, _authority, _plan), AbortReason.OwnKeyChanged, [SumStage.Keys], masks: false);

    [Fact]
    public async Task Contribute_ChangedShares_EndsBeforeAnythingIsMasked() => await AssertAbortedAsync(
        SumStage.Shares, message => Changed(message, 40), AbortReason.ShareRefused, [SumStage.Keys, SumStage.Shares], masks: false);

    [Fact]
    public async Task Contribute_SurvivorsThatIsolateIt_UnmasksNothing() => await AssertAbortedAsync(
        SumStage.Masked,
        // The message as it is written: kind, roster, number, places.
        _ => [5, .. _coordinator.RosterDigest, 1, (byte)Sites.IndexOf(Site)],
        AbortReason.TooFewSites,
        [SumStage.Keys, SumStage.Shares],
        masks: true);

    [Fact]
    public async Task Contribute_OtherSurvivorsThanTheOthersWereTold_UnmasksNothing() => await AssertAbortedAsync(
        SumStage.Masked,
        _ => [5, .. _coordinator.RosterDigest, 4, 0, 1, 2, 3],
        AbortReason.ViewsDiffer,
        [SumStage.Keys, SumStage.Shares, SumStage.Confirmations],
        masks: true,
        takesAnything: true);

    [Fact]
    public async Task Contribute_TooFewConfirmations_UnmasksNothing() => await AssertAbortedAsync(
        SumStage.Confirmations,
        message => [message[0], 3, .. message.AsSpan(2, 3 * 65)],
        AbortReason.ViewsDiffer,
        [SumStage.Keys, SumStage.Shares, SumStage.Confirmations],
        masks: true);

    [Fact]
    public async Task Contribute_RoundOfFewerSitesThanThePolicyAsks_EndsBeforeAnythingIsDealt()
    {
        File.AppendAllText(Path.Combine(_root, "egress-policy.yaml"), "minimumBlindSites: 6\n");

        await AssertAbortedAsync(SumStage.Keys, message => message, AbortReason.TooFewSites, [SumStage.Keys], masks: false);
    }

    /// <summary>What would have to be said is not in the ledger, so it is not said; the keys are at hand still, and the others wait for this site.</summary>
    [Fact]
    public async Task Contribute_DiskIsFullAfterTheMaskedUpdateHasLeft_ConfirmsWhenThereIsRoom()
    {
        Task? mended = null;
        _coordinator.Script = (stage, message) =>
        {
            if (stage != SumStage.Masked) return message;
            // The file that grows is renamed with each entry, and its next name is taken: nothing can be written any more.
            var growing = Path.Combine(_root, "ledger", "tile", "entries", "000.p");
            var taken = Path.Combine(growing, $"{Entries.Count + 1}");
            File.CreateSymbolicLink(taken, Path.Combine(growing, $"{Entries.Count}"));
            mended = _waits.Task.ContinueWith(_ => File.Delete(taken), Token, TaskContinuationOptions.None, TaskScheduler.Default);
            return message;
        };

        Assert.True(Assert.IsType<BlindResult.Delivered>(await ContributeAsync()).Answer.Accepted);

        await mended!;
        Assert.Equal([SumStage.Keys, SumStage.Shares, SumStage.Confirmations, SumStage.Disclosures], _coordinator.Said);
    }

    private static byte[] Changed(byte[] message, int at)
    {
        byte[] changed = [.. message];
        changed[at] ^= 1;
        return changed;
    }

    /// <summary>
    /// A coordinator that cheats once: the agent ends with the reason in its ledger, says nothing more, and without masks nothing of its
    /// update has left.
    /// </summary>
    private async Task AssertAbortedAsync(
        SumStage after, Func<byte[], byte[]> script, AbortReason reason, SumStage[] said, bool masks, bool takesAnything = false)
    {
        _coordinator.Script = (stage, message) => stage == after ? script(message) : message;
        _coordinator.TakesAnything = takesAnything;

        var result = await ContributeAsync();

        var abort = Assert.Single(Entries, entry => entry.Action == "blindAborted");
        Assert.Equal(char.ToLowerInvariant(reason.ToString()[0]) + reason.ToString()[1..], abort.Facts["reason"]);
        Assert.Equal(said, _coordinator.Said);
        Assert.False(_coordinator.CanUnmask);
        Assert.Equal(masks, _coordinator.Uploaded > 0);
        if (!masks) Assert.Equal(DropReason.ExchangeAborted, Assert.IsType<BlindResult.Ended>(result).Reason);
    }

    private async Task<BlindResult> ContributeAsync()
    {
        var delta = Path.Combine(_root, "delta.safetensors");
        ImageSimilarity similarity;
        using (var writer = SafetensorsWriter.Create(delta, _plan.Manifest()))
        {
            foreach (var tensor in _plan.Manifest().Tensors) writer.Write(Enumerable.Repeat(0.01f, (int)tensor.ElementCount).ToArray());
            similarity = new ImageSimilarity(Largest: 0, Pieces: 1, writer.Complete());
        }

        var outcome = await _gate.ClearAsync(_plan, new ModelUpdate(Report(_plan), delta) { Similarity = similarity }, Token);
        var cleared = outcome is EgressOutcome.Cleared { Update: var update } ? update : throw new InvalidOperationException(
            outcome.ToString());
        return await _contribution.ContributeAsync(_plan, cleared, Token);
    }

    private static RoundPlan PlanOf(int round, string model) => Plans.Good() with
    {
        Round = round,
        BaseModel = Sha256Digest.Of(System.Text.Encoding.ASCII.GetBytes(model)),
        Blind = new BlindSpec { Sites = Sites, MaximumCases = 100, GridExponent = -15 },
    };

    private static SiteReport Report(RoundPlan plan) => new()
    {
        Run = plan.Run,
        Round = plan.Round,
        Task = plan.Task,
        Site = Site,
        Plan = Sha256Digest.Of(plan.ToBytes()),
        BaseModel = plan.BaseModel,
        TrainingCases = 50,
        HeldBackCases = 10,
        Steps = plan.Recipe.StepsPerRound,
        MeanLoss = 0.5,
        Scores = [],
    };

    /// <summary>Tells when the agent says that an exchange waits.</summary>
    private sealed class Waits(TaskCompletionSource waits) : ILogger<BlindContribution>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == 444) waits.TrySetResult();
        }
    }
}
