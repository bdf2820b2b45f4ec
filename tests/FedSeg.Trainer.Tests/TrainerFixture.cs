using System.Collections.Immutable;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Imaging.Phantoms;

namespace FedSeg.Trainer.Tests;

/// <summary>One phantom hospital as real DICOM files, an initial model, and the commands of a small run.</summary>
public sealed class TrainerFixture : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-trainer-");

    public TrainerFixture()
    {
        var site = PhantomHospitals.Write(_folder.FullName, new PhantomOptions { Sites = 1, CasesPerSite = 4 }).Single().Site;
        CohortDirectory = Path(site);
        ModelInitializer.Write(ModelPath, ArchitectureCatalog.Manifest(Plan().Architecture), seed: 1);
    }

    internal string CohortDirectory { get; }

    internal string ModelPath => Path("model.safetensors");

    internal string UpdatePath => Path("update.safetensors");

    internal string ReportPath => Path("report.json");

    internal string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);

    internal static RoundPlan Plan(int round = 1, RoundTask task = RoundTask.Train, int steps = 2, double learningRate = 1e-3) => new()
    {
        Run = RunId.Parse("run-test"),
        Round = round,
        TotalRounds = 2,
        Task = task,
        Architecture = new ArchitectureSpec { Name = "unet3d", Classes = 3, BaseFeatures = 2, Levels = 2 },
        Labels = [PhantomHospitals.Kidney, PhantomHospitals.Tumour],
        Preprocessing = new PreprocessingSpec { Modality = "MR", SpacingMm = [6, 6, 6], PatchVoxels = [16, 16, 16] },
        Recipe = new TrainingRecipe { StepsPerRound = steps, BatchSize = 2, Optimizer = OptimizerKind.AdamW, LearningRate = learningRate, WeightDecay = 0.01 },
        HeldBackFraction = 0.25,
        Seed = 5,
        MinimumCases = 1,
        BaseModel = Sha256Digest.Of("base"u8),
        BaseModelBytes = 1,
    };

    internal TrainerCommand.Fingerprint Fingerprint(int leastCases) => new()
    {
        CohortDirectory = CohortDirectory,
        LabelAliases = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty,
        Plan = Plan(task: RoundTask.Fingerprint) with { Planning = new PlanningSpec { Preset = PlannerPresetName.Plain, LeastCases = leastCases } },
        Threads = 1,
    };

    internal TrainerCommand.Open Open(RoundPlan? plan = null, string? cohort = null) => new()
    {
        CohortDirectory = cohort ?? CohortDirectory,
        LabelAliases = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty,
        Plan = plan ?? Plan(),
        CohortReportPath = ReportPath,
        Device = "cpu",
        Threads = 1,
    };

    /// <summary>The phantom hospital with a folder in which nothing is DICOM.</summary>
    internal string CohortWithABadStudy()
    {
        var cohort = Path("with-a-bad-study");
        if (Directory.Exists(cohort)) return cohort;
        foreach (var study in Directory.GetDirectories(CohortDirectory))
        {
            foreach (var file in Directory.GetFiles(study, "*", SearchOption.AllDirectories))
            {
                var copy = System.IO.Path.Combine(cohort, System.IO.Path.GetRelativePath(CohortDirectory, file));
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }

        Directory.CreateDirectory(System.IO.Path.Combine(cohort, "bad-study"));
        File.WriteAllText(System.IO.Path.Combine(cohort, "bad-study", "letter.txt"), "not DICOM");
        return cohort;
    }

    /// <param name="cohort">The folder.</param>
    /// <param name="labels">The site's labels; none stands for the phantoms' own.</param>
    internal TrainerCommand.Preflight Preflight(string cohort, params string[] labels) => new()
    {
        CohortDirectory = cohort,
        LabelAliases = (labels.Length > 0 ? labels : [PhantomHospitals.Kidney, PhantomHospitals.Tumour])
            .ToImmutableSortedDictionary(label => label, _ => ImmutableArray<string>.Empty),
        ReportPath = ReportPath,
        Threads = 1,
    };

    internal TrainerCommand.Run Run(RoundPlan? plan = null, string? model = null) => new()
    {
        Plan = plan ?? Plan(),
        ModelPath = model ?? ModelPath,
        UpdatePath = UpdatePath,
    };
}
