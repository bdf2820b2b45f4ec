using System.Collections.Immutable;
using System.Diagnostics;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Cli.Benchmarks;

/// <summary>
/// The trainer's own loop on made-up images: what a hospital runs before it joins. Loader, augmentation, network, loss and optimiser are those of a round; the peak it is
/// compared with is that of a matrix product on the same device in the same run.
/// </summary>
internal static class StepBenchmark
{
    private const int WarmUpSteps = 2, Studies = 2, PeakRuns = 3;

    // Images of the size of the brain tumour data of the Medical Segmentation Decathlon, whose plan is known.
    private static readonly ListedFingerprint Data = new()
    {
        Cases = 484,
        Classes = 4,
        Modality = "MR",
        Intensity = null,
        SpacingsMm = [[1, 1, 1]],
        Shapes = [[138, 170, 138]],
    };

    /// <summary>The step of a job.</summary>
    /// <param name="job">Its network, patch and recipe.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="steps">Counted steps.</param>
    /// <param name="cancellationToken">Looked at before each step.</param>
    public static StepBenchmarkResult Run(JobSpec job, Device device, int steps, CancellationToken cancellationToken) =>
        Run(preset: null, job.Architecture, job.Preprocessing, job.Recipe, device, steps, cancellationToken);

    /// <summary>The step of a planned network.</summary>
    /// <param name="preset">The plan's size; the device's own where none is given.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="steps">Counted steps.</param>
    /// <param name="cancellationToken">Looked at before each step.</param>
    public static StepBenchmarkResult Run(PlannerPresetName? preset, Device device, int steps, CancellationToken cancellationToken)
    {
        var size = preset ?? (device.type == DeviceType.CUDA ? PlannerPresetName.Plain : PlannerPresetName.Cpu);
        var plan = TrainingPlanner.Plan(Data, size);
        var network = plan.Main();
        var recipe = new TrainingRecipe
        {
            StepsPerRound = steps,
            BatchSize = network.BatchSize,
            BatchDice = network.BatchDice,
            Optimizer = OptimizerKind.Sgd,
            LearningRate = 0.01,
            WeightDecay = 3e-5,
        };
        return Run(size, network.Architecture, network.Preprocessing(plan), recipe, device, steps, cancellationToken);
    }

    private static StepBenchmarkResult Run(
        PlannerPresetName? preset,
        ArchitectureSpec architecture,
        PreprocessingSpec preprocessing,
        TrainingRecipe recipe,
        Device device,
        int steps,
        CancellationToken cancellationToken)
    {
        var isGpu = device.type == DeviceType.CUDA;
        CpuKernels.ChooseFor(architecture);
        PreparedCase[] cases = [.. Enumerable.Range(0, Studies).Select(study => Study(study, architecture.Classes - 1, preprocessing))];
        var time = Train(architecture, preprocessing, recipe, cases, steps, device, cancellationToken);
        return new StepBenchmarkResult
        {
            Device = isGpu ? $"cuda:{device.index}" : "cpu",
            Threads = get_num_threads(),
            Preset = preset,
            Architecture = architecture.Name,
            Classes = architecture.Classes,
            Topology = ArchitectureCatalog.Topology(architecture),
            PatchVoxels = preprocessing.PatchVoxels,
            BatchSize = recipe.BatchSize,
            BatchDice = recipe.BatchDice,
            Optimizer = recipe.Optimizer,
            StepsPerSecond = steps / time.Total.TotalSeconds,
            OperationsPerStep = ComputeEstimate.OfStep(architecture, preprocessing.PatchVoxels, recipe.BatchSize),
            PeakOperationsPerSecond = Peak(device, isGpu ? 8192 : 1536),
            DataWaitShare = time.DataWaitShare,
            PeakMemoryBytes = Process.GetCurrentProcess().PeakWorkingSet64,
        };
    }

    private static TrainingTime Train(
        ArchitectureSpec architecture,
        PreprocessingSpec preprocessing,
        TrainingRecipe recipe,
        PreparedCase[] cases,
        int steps,
        Device device,
        CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("fedseg-bench-step-");
        try
        {
            var path = Path.Combine(folder.FullName, "model");
            ModelInitializer.Write(path, ArchitectureCatalog.Manifest(architecture), seed: 1);
            using var network = ModelWeights.Open(path, architecture, device);
            TrainingTime Steps(int count) => Trainer.Train(
                network, cases, TrainingSchedule.Whole(recipe, preprocessing, ["a", "b", "c"], count, seed: 1), device, stepped: null, cancellationToken) is TrainingOutcome.Trained trained
                ? trained.Time
                : throw new InvalidOperationException("The training became NaN or infinite: this device computes wrongly.");
            Steps(WarmUpSteps);
            return Steps(steps);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Operations a second of the best of a few products of square matrices; TF32 on a GPU, as its convolutions.</summary>
    private static double Peak(Device device, int extent)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        if (device.type == DeviceType.CUDA) backends.cuda.matmul.allow_tf32 = true;
        var (a, b) = (ones([extent, extent], device: device), ones([extent, extent], device: device));
        var best = double.MaxValue;
        for (var run = 0; run <= PeakRuns; run++)
        {
            using var inner = NewDisposeScope();
            var started = Stopwatch.GetTimestamp();
            // Reading one number waits for the whole product.
            a.mm(b)[0, 0].item<float>();
            if (run > 0) best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return 2.0 * extent * extent * extent / best;
    }

    /// <summary>Noise with a bright ball in it, whose shells are the labels.</summary>
    private static PreparedCase Study(int number, int shells, PreprocessingSpec preprocessing)
    {
        var chance = new Random(number);
        int[] size = [.. Data.Shapes[0].Select(extent => (int)extent)];
        var spacing = preprocessing.SpacingMm;
        var grid = new GridGeometry(
            new Index3(size[0], size[1], size[2]), new Vector3D(X: spacing[2], Y: spacing[1], Z: spacing[0]), new Vector3D(0, 0, 0), new AxisDirections(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)));
        var (image, labels) = (new float[grid.VoxelCount], new byte[grid.VoxelCount]);
        for (var i = 0; i < image.Length; i++)
        {
            var (z, y, x) = (i / (size[1] * size[2]) - size[0] / 2.0, i / size[2] % size[1] - size[1] / 2.0, i % size[2] - size[2] / 2.0);
            labels[i] = (byte)Math.Max(0, shells - (int)(Math.Sqrt(z * z + y * y + x * x) / 12));
            image[i] = (float)(100 + 20 * labels[i] + 20 * chance.NextDouble());
        }

        var volume = new LabelVolume(grid, labels);
        var prepared = PreparedImage.From(new Volume(grid, image), preprocessing);
        return new PreparedCase($"bench-{number}", prepared, prepared.Prepare(volume), volume);
    }
}

/// <summary>What a step costs here.</summary>
internal sealed record StepBenchmarkResult
{
    public required string Device { get; init; }

    public required int Threads { get; init; }

    /// <summary>Size of the plan; none where a job named the network.</summary>
    public required PlannerPresetName? Preset { get; init; }

    public required string Architecture { get; init; }

    public required int Classes { get; init; }

    public required NetworkTopology Topology { get; init; }

    public required ImmutableArray<int> PatchVoxels { get; init; }

    public required int BatchSize { get; init; }

    public required bool BatchDice { get; init; }

    public required OptimizerKind Optimizer { get; init; }

    public required double StepsPerSecond { get; init; }

    /// <summary>Floating-point operations of the convolutions of a step.</summary>
    public required long OperationsPerStep { get; init; }

    /// <summary>Operations a second of a matrix product on this device in this run.</summary>
    public required double PeakOperationsPerSecond { get; init; }

    /// <summary>Share of that peak which the steps reach, loader and all.</summary>
    public double ShareOfPeak => OperationsPerStep * StepsPerSecond / PeakOperationsPerSecond;

    /// <summary>Share of the time in which steps waited for patches, 0 to 1.</summary>
    public required double DataWaitShare { get; init; }

    /// <summary>Most memory the process took on the host, bytes.</summary>
    public required long PeakMemoryBytes { get; init; }

    public void Print()
    {
        Console.WriteLine($"{Device}, {Threads} threads; {(Preset is { } size ? $"preset {size}" : Architecture)}: patch [{string.Join(", ", PatchVoxels)}], batch {BatchSize}");
        Console.WriteLine($"{StepsPerSecond:G3} steps/s, {1 / StepsPerSecond:G3} s a step");
        Console.WriteLine($"{OperationsPerStep * StepsPerSecond / 1e9:N0} of {PeakOperationsPerSecond / 1e9:N0} GFLOP/s of a matrix product here: {ShareOfPeak:P1} of peak");
        Console.WriteLine($"waits for patches {DataWaitShare:P1} of the time; peak memory of the process {PeakMemoryBytes / 1e9:F2} GB");
    }
}
