using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Patients;
using FedSeg.Egress.Plans;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Hosting.Certificates;
using FedSeg.Ledger.Storage;
using FedSeg.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Egress.Tests;

/// <summary>One site's folders, ledger and gate, with a trainer's update that passes every rule until a test changes it.</summary>
internal sealed class HospitalOnDisk : IDisposable
{
    public const string ValidPolicy = "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\nreview: auto-within-bounds\n";

    private static readonly SiteId Site = SiteId.Parse("north");

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private SigningCoordinator? _coordinator;

    public HospitalOnDisk()
    {
        WritePolicy(ValidPolicy);
        Report = GoodReport(Plan);
        WriteDelta(0.5f);
        Start();
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("fedseg-egress-").FullName;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public RandomNumberGenerator Random { get; } = new SeededGenerator();

    public LedgerWriter Ledger { get; private set; } = null!;

    public EgressGate Gate { get; private set; } = null!;

    public RoundPlan Plan { get; set; } = NewPlan(RoundTask.Train);

    public SiteReport Report { get; set; }

    /// <summary>What the trainer says that training cost a patient.</summary>
    public PrivacySpent? Privacy { get; set; }

    /// <summary>What the trainer says how much its update looks like an image; <see langword="null"/> when it says nothing.</summary>
    public double? Similarity { get; set; } = 0.1;

    public string DeltaPath => Path.Combine(Root, "delta.safetensors");

    /// <summary>Where the gate leaves what an encoding loses.</summary>
    public string ResidualPath => Path.Combine(Root, "residual.safetensors");

    /// <summary>The base model, where a test has one.</summary>
    public string? BaseModelPath { get; private set; }

    public string OutboxPath => Path.Combine(Root, "outbox");

    public string PolicyPath => Path.Combine(Root, "egress.yaml");

    public Sha256Digest PolicyHash => Sha256Digest.Of(File.ReadAllBytes(PolicyPath));

    public string[] Actions => [.. Entries.Select(entry => entry.Action)];

    public LedgerEntry[] Entries => [.. LedgerReader.Open(Path.Combine(Root, "ledger")).Entries()];

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public string AuthorityFolder => Path.Combine(Root, "authority");

    public FederationAuthority Authority => File.Exists(Path.Combine(AuthorityFolder, FederationAuthority.KeyFile))
        ? FederationAuthority.Open(AuthorityFolder, Time)
        : FederationAuthority.Create(AuthorityFolder, "test", Time);

    /// <summary>Who hands out this hospital's plans.</summary>
    public SigningCoordinator Coordinator
    {
        get => _coordinator ??= SigningCoordinator.Of(Authority, "coordinator.example");
        set => _coordinator = value;
    }

    public string DeskPath => Path.Combine(Root, "desk");

    /// <summary>A gate over what is on the disk, as after a crash and a restart.</summary>
    public void Restart()
    {
        Gate.Dispose();
        Ledger.Dispose();
        Start();
    }

    public void WritePolicy(string yaml) => File.WriteAllText(PolicyPath, yaml);

    /// <summary>A base model whose every weight is the same.</summary>
    public void WriteBaseModel(float value)
    {
        BaseModelPath = Path.Combine(Root, "base.safetensors");
        using var writer = SafetensorsWriter.Create(BaseModelPath, Plan.Manifest());
        foreach (var tensor in Plan.Manifest().Tensors) writer.Write(Enumerable.Repeat(value, (int)tensor.ElementCount).ToArray());
        writer.Complete();
    }

    /// <summary>The trainer's file: every declared tensor, every element the same.</summary>
    public void WriteDelta(float value) => WriteDelta(Plan.Manifest(), value);

    /// <summary>The same, tensor by tensor.</summary>
    public void WriteDelta(Func<TensorSpec, float> value) => WriteDelta(Plan.Manifest(), (tensor, _) => value(tensor));

    /// <summary>One tensor element by element, 0.5 everywhere else.</summary>
    public void WriteDelta(Func<TensorSpec, int, float> value, string only) =>
        WriteDelta(Plan.Manifest(), (tensor, i) => tensor.Name == only ? value(tensor, i) : 0.5f);

    public void WriteDelta(TensorManifest manifest, float value, ImmutableDictionary<string, string>? metadata = null) =>
        WriteDelta(manifest, (_, _) => value, metadata);

    /// <summary>Leaves the trainer's record of whom a round trained on.</summary>
    public void NotePatients(int round, int count)
    {
        var records = new PatientRecords(DeskPath);
        var use = PatientUse.Of(records.Rules([]), Enumerable.Range(0, count).Select(number => $"patient {number}"), scored: []);
        File.WriteAllBytes(records.PathOf(Plan.Run, round), use.ToBytes());
    }

    public Task<EgressOutcome> ClearAsync() => ClearAsync(Plan.Task == RoundTask.Train && File.Exists(DeltaPath) ? Sha256Digest.Of(File.ReadAllBytes(DeltaPath)) : default);

    /// <summary>The same, where the trainer measured likeness on a file of this digest.</summary>
    public Task<EgressOutcome> ClearAsync(Sha256Digest measured) => Gate.ClearAsync(
        Plan,
        new ModelUpdate(Report, Plan.Task == RoundTask.Train ? DeltaPath : null, BaseModelPath)
        {
            Privacy = Privacy,
            ResidualPath = ResidualPath,
            Similarity = Similarity is { } largest ? new ImageSimilarity(largest, Pieces: 8, measured) : null,
        },
        Token);

    /// <summary>Asks the gate about a plan that the coordinator hands out now.</summary>
    public Task<PlanOutcome> ApprovePlanAsync(RoundPlan plan) => Gate.ApprovePlanAsync(Signed(plan));

    public SignedPlan Signed(RoundPlan plan) => Coordinator.Sign(plan, Site.ToString(), Time.GetUtcNow());

    public async Task<ClearedUpdate> ClearedAsync()
    {
        var outcome = await ClearAsync();
        return outcome is EgressOutcome.Cleared cleared ? cleared.Update : throw new InvalidOperationException(((EgressOutcome.Refused)outcome).Report.Summary);
    }

    /// <summary>Makes the report an answer to the present plan.</summary>
    public void AnswerPlan() => Report = GoodReport(Plan);

    public static RoundPlan NewPlan(RoundTask task) => new()
    {
        Run = RunId.Parse("run-1"),
        Round = 3,
        TotalRounds = 5,
        Task = task,
        Architecture = new ArchitectureSpec { Name = "unet3d", Classes = 3, BaseFeatures = 2, Levels = 2 },
        Labels = ["anterior", "posterior"],
        Preprocessing = new PreprocessingSpec { Modality = "MR", SpacingMm = [1, 1, 1], PatchVoxels = [32, 32, 32] },
        Recipe = new TrainingRecipe { StepsPerRound = 20, BatchSize = 2, Optimizer = OptimizerKind.AdamW, LearningRate = 0.003, WeightDecay = 3e-5 },
        HeldBackFraction = 0.2,
        Seed = 1,
        MinimumCases = 10,
        BaseModel = Sha256Digest.Of("base"u8),
        BaseModelBytes = 1000,
    };

    public static SiteReport GoodReport(RoundPlan plan)
    {
        var trains = plan.Task == RoundTask.Train;
        return new SiteReport
        {
            Run = plan.Run,
            Round = plan.Round,
            Task = plan.Task,
            Site = Site,
            Plan = Sha256Digest.Of(plan.ToBytes()),
            BaseModel = plan.BaseModel,
            TrainingCases = trains ? 40 : 0,
            HeldBackCases = 10,
            Cohort = new CohortUse(Used: 50, Found: 60),
            Steps = trains ? 20 : 0,
            MeanLoss = trains ? 0.123456 : null,
            Scores = [new LabelScore("anterior", 0.876543, 10), new LabelScore("posterior", 0.81, 9)],
        };
    }

    public void Dispose()
    {
        Gate.Dispose();
        Ledger.Dispose();
        _key.Dispose();
        _coordinator?.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private void WriteDelta(TensorManifest manifest, Func<TensorSpec, int, float> value, ImmutableDictionary<string, string>? metadata = null)
    {
        using var writer = SafetensorsWriter.Create(DeltaPath, manifest, metadata);
        foreach (var tensor in manifest.Tensors) writer.Write(Enumerable.Range(0, (int)tensor.ElementCount).Select(i => value(tensor, i)).ToArray());
        writer.Complete();
    }

    private void Start()
    {
        Ledger = LedgerWriter.Open(Path.Combine(Root, "ledger"), "north.example/egress", _key, Time);
        var options = new EgressOptions { Site = Site, Recipient = "https://coordinator.example:7443", PolicyPath = PolicyPath, OutboxDirectory = OutboxPath, DeskDirectory = DeskPath, AuthorityPath = Path.Combine(AuthorityFolder, FederationAuthority.CertificateFile) };
        Gate = new EgressGate(options, Ledger, Time, Random, Hosting.Faults.Failpoints.None);
    }
}
