using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.Blind;
using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Masking;
using FedSeg.SecureAggregation.Server;
using FedSeg.SecureAggregation.Sites;

namespace FedSeg.Coordinator.Tests.Blind;

/// <summary>
/// A coordinator with a run of blind rounds, and its five sites with certificates of the federation, updates on the grid and keys in
/// memory.
/// </summary>
internal sealed class BlindCoordinator : IAsyncDisposable
{
    private const int MaximumCases = 50;
    private readonly Dictionary<SiteId, SiteCredential> _credentials = [];
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public BlindCoordinator()
    {
        Disk = new CoordinatorOnDisk();
        foreach (var site in Sites)
        {
            var keyPath = Path.Combine(Disk.Root, $"{site}.key");
            var certificatePath = Path.Combine(Disk.Root, $"{site}.pem");
            var request = KeyFiles.CreateRequest(keyPath, site.ToString());
            File.WriteAllText(certificatePath, Disk.Authority.SignMember(
                request, MemberKind.Site, site.ToString(), PersonRole.None, TimeSpan.FromDays(1)));
            using var certificate = KeyFiles.LoadCertificate(certificatePath, keyPath);
            _credentials[site] = new SiteCredential(certificate.RawData, certificate.GetECDsaPrivateKey()!);
        }

        Run = Disk.Catalog.Submit(Job, "ada");
        Start();
    }

    public static ImmutableArray<SiteId> Sites { get; } = [.. Enumerable.Range(1, 5).Select(number => SiteId.Parse($"site{number}"))];

    public static JobSpec Job { get; } = CoordinatorOnDisk.Job(quorum: 4, rounds: 1) with
    {
        Sites = Sites,
        Blind = new BlindOptions { Range = 0.9, MaximumCases = MaximumCases, StepMinutes = 10 },
        RoundDeadlineMinutes = 60,
    };

    public CoordinatorOnDisk Disk { get; }

    public RunId Run { get; }

    public RoundPlan Plan => Disk.Book.Find(Run)!.Rounds[0].Plan;

    public Dictionary<SiteId, SumClient> Clients { get; } = [];

    /// <summary>Each site's update as its gate approved it: on the grid, scaled by its weight.</summary>
    public Dictionary<SiteId, float[]> Plain { get; } = [];

    /// <summary>Site k has 10 k cases, and with 50 a full weight.</summary>
    public static int CasesOf(SiteId site) => 10 * (Sites.IndexOf(site) + 1);

    /// <summary>The factor of the sum of the sites' plain updates.</summary>
    public static double FactorOf(IEnumerable<SiteId> sites) => (double)MaximumCases / sites.Sum(CasesOf);

    /// <summary>The coordinator as after a restart: of what it knew only the disk is left.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        Disk.Reopen();
        _stop = new CancellationTokenSource();
        Start();
    }

    public async Task<RoundPlan> OpenedAsync() => (await Disk.UntilAsync(Run, state => state.OpenRound is not null)).OpenRound!.Plan;

    /// <summary>Leaves no room for a message until it is disposed.</summary>
    /// <param name="dataFolder">Below the root.</param>
    /// <param name="stage">Of the message.</param>
    /// <param name="site">Of the message.</param>
    public IDisposable FillDisk(string dataFolder, SumStage stage, SiteId site)
    {
        var folder = Path.Combine(Disk.Root, dataFolder, "exchanges", Run.ToString(), "1");
        return new FullFile(Path.Combine(folder, $"{stage.ToString().ToLowerInvariant()}-{site}.new"));
    }

    public async Task AdvertiseAsync(params SiteId[] sites)
    {
        var plan = await OpenedAsync();
        foreach (var site in sites)
        {
            var client = new SumClient(
                SumContext.Of(plan), site, _credentials[site], KeyOf, SumContext.FewestSites, RandomNumberGenerator.Create());
            Clients[site] = client;
            Assert.Null(Say(SumStage.Keys, site, client.Advertise()));
        }
    }

    public async Task DealAsync(params SiteId[] sites)
    {
        foreach (var site in sites) Assert.Null(
            Say(SumStage.Shares, site, Clients[site].AnswerRoster(await HearAsync(SumStage.Keys, site))));
    }

    public async Task SendMaskedAsync(params SiteId[] sites)
    {
        foreach (var site in sites)
        {
            Assert.IsType<StepOutcome.ReadyToMask>(Clients[site].AcceptShares(await HearAsync(SumStage.Shares, site)));
            Assert.Equal(UploadOutcome.Accepted, await UploadAsync(site, Mask(site)));
        }
    }

    public async Task ConfirmAsync(params SiteId[] sites)
    {
        foreach (var site in sites) Assert.Null(
            Say(SumStage.Confirmations, site, Clients[site].AnswerSurvivors(await HearAsync(SumStage.Masked, site))));
    }

    public async Task DiscloseAsync(params SiteId[] sites)
    {
        foreach (var site in sites) Assert.Null(
            Say(SumStage.Disclosures, site, Clients[site].AnswerConfirmations(await HearAsync(SumStage.Confirmations, site))));
    }

    public string? Say(SumStage stage, SiteId site, StepOutcome outcome) =>
        Disk.Blind.Accept(site, Run, 1, stage, Assert.IsType<StepOutcome.Reply>(outcome).Message);

    public async Task<byte[]> HearAsync(SumStage stage, SiteId site)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        var (message, over) = await Disk.Blind.NextAsync(site, Run, 1, stage, TimeSpan.FromHours(10), patience.Token);
        return message ?? throw new InvalidOperationException(
            $"{site} hears nothing after {stage}: {(over ? "the round goes on without it" : "not yet")}.");
    }

    public Task<UploadOutcome> UploadAsync(SiteId site, byte[] words)
    {
        var report = SiteUpdate.Report(Plan, site, CasesOf(site)).ToBytes();
        var update = SiteUpdate.Of(Plan, site, _credentials[site].Key, report, words);
        return Disk.Intake.ReceiveAsync(
            update.Announced, _credentials[site].Key, Run, 0, CoordinatorOnDisk.Chunks(words, 1 << 16), CoordinatorOnDisk.Token);
    }

    /// <summary>Lets time pass until the run is as described; each step of the clock gives everybody the chance to notice.</summary>
    public async Task<RunState> PassTimeUntilAsync(Func<RunState, bool> reached)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (!reached(Disk.Book.Find(Run)!))
        {
            Disk.Time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
        }

        return Disk.Book.Find(Run)!;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var client in Clients.Values) client.Dispose();
        foreach (var credential in _credentials.Values) credential.Key.Dispose();
        Disk.Dispose();
    }

    public static ECDsa? KeyOf(SiteId site, byte[] certificate) => SiteCertificates.ReadKey(certificate);

    private byte[] Mask(SiteId site)
    {
        var plain = new float[Plan.Manifest().ParameterCount];
        for (var i = 0; i < plain.Length; i++) plain[i] = RandomNumberGenerator.GetInt32(-1_000_000, 1_000_000) / 1.5e6f;
        new FixedGrid(RandomNumberGenerator.Create()).Round(plain, Plan.Blind!.ScaleOf(CasesOf(site)), Plan.Blind.GridExponent);
        Plain[site] = plain;
        var words = new uint[plain.Length];
        FixedGrid.ToWords(plain, Plan.Blind.GridExponent, words);
        using var masks = Clients[site].TakeMasks();
        for (var start = 0; start < words.Length; start += MaskSet.ChunkWords)
        {
            masks.Apply(start / MaskSet.ChunkWords, words.AsSpan(start, Math.Min(MaskSet.ChunkWords, words.Length - start)));
        }

        var packed = new byte[words.Length * Words24.BytesPerWord];
        Words24.Pack(words, packed);
        return packed;
    }

    /// <summary>What is written under this name finds no room.</summary>
    private sealed class FullFile : IDisposable
    {
        private readonly string _path;

        public FullFile(string path)
        {
            _path = path;
            File.CreateSymbolicLink(path, "/dev/full");
        }

        public void Dispose() => File.Delete(_path);
    }

    private void Start() => _running = Task.WhenAll(Disk.Blind.StartAsync(_stop.Token), Disk.Runner.RunAsync(Run, _stop.Token));

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Disk.Blind.StopAsync(CancellationToken.None);
        try
        {
            await _running;
        }
        catch (OperationCanceledException)
        {
            // As it was told.
        }

        _stop.Dispose();
    }
}
