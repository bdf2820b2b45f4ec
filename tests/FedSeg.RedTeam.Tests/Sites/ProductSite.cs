using System.Collections.Immutable;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Imaging.Volumes;
using FedSeg.RedTeam.Tests.Images;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using FedSeg.Testing;
using static TorchSharp.torch;

namespace FedSeg.RedTeam.Tests.Sites;

/// <summary>
/// A hospital that trains as the product trains: its own network, preparation, local training and updates, on slices one voxel deep.
/// </summary>
/// <param name="size">Pixels along an image's edge.</param>
/// <param name="features">Channels of the network's finest stage; 8, 16, … fill vectors.</param>
internal sealed class ProductSite(int size, int features) : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _rounds;

    public ArchitectureSpec Architecture { get; } = ArchitectureOf(features);

    public TensorManifest Manifest => ArchitectureCatalog.Manifest(Architecture);

    /// <summary>A planned network of two stages whose kernels and strides are 1 across slices.</summary>
    public static ArchitectureSpec ArchitectureOf(int features) => new()
    {
        Name = ArchitectureCatalog.PlannedUNet,
        Classes = 2,
        Topology = new NetworkTopology
        {
            Stages = [Stage(1, features), Stage(2, 2 * features)],
            DecoderConvolutions = 1,
            DeepSupervision = false,
        },
    };

    /// <summary>Writes a first model.</summary>
    public string Initial(ulong seed)
    {
        var path = _folder[$"initial-{seed}"];
        ModelInitializer.Write(path, Manifest, seed);
        return path;
    }

    public string NewFile() => _folder[$"file-{_rounds++}"];

    /// <summary>A patient's slice as the product prepares it: normalised by its own mean and deviation.</summary>
    public static PreparedCase Prepare(Slice slice, string patient)
    {
        var grid = new GridGeometry(
            new Index3(1, slice.Size, slice.Size),
            new Vector3D(1, 1, 1),
            new Vector3D(0, 0, 0),
            new AxisDirections(new Vector3D(0, 0, 1), new Vector3D(0, 1, 0), new Vector3D(1, 0, 0)));
        var labels = new LabelVolume(grid, slice.Mask);
        return new PreparedCase(patient, PreparedImage.From(new Volume(grid, slice.Pixels), Preprocessing(slice.Size), maxThreads: 1),
            labels, labels);
    }

    public RoundPlan Plan(TrainingRecipe recipe, ulong seed = 7) => new()
    {
        Run = RunId.Parse("run-red"),
        Round = 1,
        TotalRounds = 1,
        Task = RoundTask.Train,
        Architecture = Architecture,
        Labels = ["organ"],
        Preprocessing = Preprocessing(size),
        Recipe = recipe,
        HeldBackFraction = 0.05,
        Seed = seed,
        MinimumCases = 1,
        BaseModel = Sha256Digest.Of("base"u8),
        BaseModelBytes = 1,
    };

    public static TrainingRecipe Recipe(int steps, int batch, double rate, OptimizerKind optimizer = OptimizerKind.AdamW,
        PatientPrivacy? privacy = null) => new()
    {
        StepsPerRound = steps,
        BatchSize = batch,
        Optimizer = optimizer,
        LearningRate = rate,
        WeightDecay = 0,
        Augmentation = AugmentationKind.None,
        Mirroring = false,
        Privacy = privacy,
    };

    /// <summary>One round of the product's local training, all patients trained on.</summary>
    /// <returns>The update's file, as the trainer hands it to the gate, and what it cost each patient.</returns>
    public (string Update, PrivacySpent? Privacy) Train(RoundPlan plan, ImmutableArray<PreparedCase> patients, string model)
    {
        // Nobody is held back: who is a member is the question.
        var cohort = Cohort.Pool([.. patients.Select(patient => Cohort.Split([patient], 0.05, 1))]);
        var files = new RoundFiles { Model = model, Update = NewFile() };
        var outcome = RoundWork.Run(plan, cohort, files, CPU, stepped: null, TestContext.Current.CancellationToken);
        return (files.Update, Assert.IsType<RoundOutcome.Done>(outcome).Privacy);
    }

    /// <summary>An update as the trainer wrote it, all weights end to end.</summary>
    public static float[] Read(string update, TensorManifest manifest)
    {
        using var file = UpdateFile.Open(update, manifest, UpdateEncoding.F32);
        var values = new float[file.Length];
        file.Read(0, values);
        return values;
    }

    public UNet Open(string model) => ModelWeights.Open(model, Architecture, CPU);

    /// <summary>The network with these weights.</summary>
    public UNet Open(float[] weights) => Open(Write(weights));

    /// <summary>A model file of these weights.</summary>
    public string Write(float[] weights)
    {
        var path = NewFile();
        using var writer = SafetensorsWriter.Create(path, Manifest);
        writer.Write(weights);
        writer.Complete();
        return path;
    }

    public void Dispose() => _folder.Dispose();

    private static PreprocessingSpec Preprocessing(int size) =>
        new() { Modality = "MR", SpacingMm = [1, 1, 1], PatchVoxels = [1, size, size] };

    private static NetworkStage Stage(int stride, int features) =>
        new() { Stride = [1, stride, stride], Kernel = [1, 3, 3], Features = features, Blocks = 1 };
}
