using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using FedSeg.Coordinator.Blind;
using FedSeg.Coordinator.Jobs;
using FedSeg.Coordinator.Journal;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Coordinator.Operations;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Sites;
using FedSeg.Coordinator.Tests.Journal;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Faults;
using FedSeg.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Coordinator.Tests;

/// <summary>A coordinator's folder, journal and parts without its network, and a clock the test sets. Two sites, a tiny network.</summary>
internal sealed class CoordinatorOnDisk : IDisposable
{
    private readonly Dictionary<SiteId, ECDsa> _keys = new() { [North] = ECDsa.Create(ECCurve.NamedCurves.nistP256), [East] = ECDsa.Create(ECCurve.NamedCurves.nistP256) };

    public CoordinatorOnDisk()
    {
        Clock = new JumpingClock(Time);
        Meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        Telemetry = new CoordinatorTelemetry(Meters);
        Authority = FederationAuthority.Create(Path.Combine(Root, "authority"), "test", TimeProvider.System);
        Settings = new CoordinatorOptions
        {
            DataDirectory = Path.Combine(Root, "data"),
            Register = Authority.RegisterPath,
            Authority = Authority.CertificatePath,
            Certificate = Path.Combine(Root, "coordinator.pem"),
            Charters = Directory.CreateDirectory(Path.Combine(Root, "charters")).FullName,
        };
        var request = KeyFiles.CreateRequest(Path.Combine(Root, "coordinator.key"), "coordinator");
        File.WriteAllText(Settings.Certificate, Authority.SignCoordinator(request, ["coordinator.example"], TimeSpan.FromDays(1)));
        Open();
    }

    public static SiteId North { get; } = SiteId.Parse("north");

    public static SiteId East { get; } = SiteId.Parse("east");

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public string Root { get; } = Directory.CreateTempSubdirectory("fedseg-coordinator-").FullName;

    public FederationAuthority Authority { get; }

    public CoordinatorOptions Settings { get; }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    /// <summary>The same with a date that can be set; what the coordinator reads.</summary>
    public JumpingClock Clock { get; }

    /// <summary>What this coordinator counts: the scope of its meter, apart from those of other tests.</summary>
    public IMeterFactory Meters { get; }

    public CoordinatorTelemetry Telemetry { get; }

    /// <summary>What the log says of the runs.</summary>
    public RecordedLog<RunLog> Said { get; } = new();

    public SiteDirectory Sites { get; } = new(TimeProvider.System, NullLogger<SiteDirectory>.Instance);

    public BlobStore Blobs { get; private set; } = null!;

    public FillingJournal Journal { get; private set; } = null!;

    public RunBook Book { get; private set; } = null!;

    public CoordinatorLedger Ledger { get; private set; } = null!;

    public BlindRounds Blind { get; private set; } = null!;

    public UpdateIntake Intake { get; private set; } = null!;

    public RoundRunner Runner { get; private set; } = null!;

    public SiteTurnBook Turns { get; private set; } = null!;

    public StudyCharters Charters { get; private set; } = null!;

    public JobCatalog Catalog { get; private set; } = null!;

    public ECDsa KeyOf(SiteId site) => _keys[site];

    /// <summary>All of it anew over what is on the disk, as after a restart.</summary>
    public void Reopen()
    {
        Book.Dispose();
        Ledger.Dispose();
        Telemetry.Dispose();
        Open();
    }

    /// <summary>Enters a run of both sites and returns its state.</summary>
    public RunState Create(int quorum = 2, int rounds = 2, AggregationSpec? aggregation = null) => Create(Job(quorum, rounds, aggregation));

    public RunState Create(JobSpec job) => Book.Find(Catalog.Submit(job, "ada"))!;

    /// <summary>Enters a run and opens its first round.</summary>
    public RoundPlan CreateAndOpen()
    {
        var run = Create().Id;
        Book.Step(run, new RunInput.Continued(), Time.GetUtcNow());
        return Book.Find(run)!.OpenRound!.Plan;
    }

    public Task<UploadOutcome> SendAsync(SiteUpdate update, long offset = 0, RunId? run = null) =>
        Intake.ReceiveAsync(update.Announced, KeyOf(update.Announced.Site), run ?? update.Plan.Run, offset, Chunks(update.Bytes.AsMemory((int)offset)), Token);

    /// <summary>Waits for a state of the run; fails when the run ends without it.</summary>
    public async Task<RunState> UntilAsync(RunId run, Func<RunState, bool> reached)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(15));
        await foreach (var state in Book.WatchAsync(run, patience.Token))
        {
            if (reached(state)) return state;
        }

        throw new InvalidOperationException("The run ended without reaching the state: " + Book.Find(run)?.End?.Reason);
    }

    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> Chunks(ReadOnlyMemory<byte> bytes, int size = 1000)
    {
        for (var start = 0; start < bytes.Length; start += size)
        {
            await Task.Yield();
            yield return bytes.Slice(start, Math.Min(size, bytes.Length - start));
        }
    }

    public static JobSpec Job(int quorum = 2, int rounds = 2, AggregationSpec? aggregation = null) => new()
    {
        Name = "test",
        Sites = [East, North],
        Rounds = rounds,
        Labels = ["kidney", "tumour"],
        Architecture = new ArchitectureSpec { Name = "unet3d", Classes = 3, BaseFeatures = 2, Levels = 2 },
        Preprocessing = new PreprocessingSpec { Modality = "MR", SpacingMm = [1, 1, 1], PatchVoxels = [8, 8, 8] },
        Recipe = new TrainingRecipe { StepsPerRound = 3, BatchSize = 2, Optimizer = OptimizerKind.AdamW, LearningRate = 0.01, WeightDecay = 0 },
        Aggregation = aggregation ?? StrategyCatalog.Find("fedavg")!.Create(),
        Quorum = quorum,
        RoundDeadlineMinutes = 1,
        HeldBackFraction = 0.2,
        MinimumCases = 5,
        Seed = 7,
    };

    public void Dispose()
    {
        Book.Dispose();
        Ledger.Dispose();
        foreach (var key in _keys.Values) key.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private void Open()
    {
        var options = Options.Create(Settings);
        // A real store refuses the time of a test's clock.
        Blobs = new BlobStore(Settings.DataDirectory, Settings.Bucket.IsOn ? new BlobBucket(Settings.Bucket, TimeProvider.System) : null);
        Journal = new FillingJournal(new SqliteJournal(Settings.DataDirectory));
        Book = new RunBook(Journal, Failpoints.None, new RunLog(Telemetry, Said));
        Ledger = new CoordinatorLedger(options, Clock);
        Turns = new SiteTurnBook(Book, Clock);
        var trust = new FederationTrust(Settings.Authority, Clock);
        Blind = new BlindRounds(Book, Turns, options, trust, Clock, NullLogger<BlindRounds>.Instance);
        Intake = new UpdateIntake(Book, Blobs, Blind, Ledger, options, Telemetry, Clock, NullLogger<UpdateIntake>.Instance);
        Charters = new StudyCharters(options, trust, Clock, NullLogger<StudyCharters>.Instance);
        Runner = new RoundRunner(Book, Blobs, Blind, Ledger, Sites, Turns, Charters, Telemetry, Failpoints.None, Clock, NullLogger<RoundRunner>.Instance);
        Catalog = new JobCatalog(Book, Blobs, new MemberRegister(options, NullLogger<MemberRegister>.Instance), Sites, Charters, Clock, NullLogger<JobCatalog>.Instance);
    }
}
