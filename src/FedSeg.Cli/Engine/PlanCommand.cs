using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;

namespace FedSeg.Cli.Engine;

/// <summary><c>fedseg plan</c>: from what is known of the data to one frozen plan.</summary>
internal static class PlanCommand
{
    private static readonly Option<FileInfo[]> Fingerprint = new("--fingerprint")
    {
        Description = "JSON: spacings[][3], shapes[][3], labels, modality, intensity{mean,std,p005,p995}, in z, y, x order; "
            + "or the sketches of one or more sites.",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<PlannerPresetName> Preset = new("--preset")
    {
        Description = "plain (8 GB), resEncM (8 GB), resEncL (24 GB), resEncXL (40 GB), or cpu for machines without a GPU.",
        DefaultValueFactory = _ => PlannerPresetName.Plain,
    };

    private static readonly Option<FileInfo?> Output = new("--out")
    {
        Description = "Where to write the plan's canonical file; its SHA-256 names it.",
    };

    public static Command Create() =>
        new Command("plan", "From a fingerprint of the data to a training plan.") { Fingerprint, Preset, Output }.Does(RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var files = parsed.GetRequiredValue(Fingerprint);
        var names = string.Join(", ", files.Select(file => file.FullName));
        TrainingPlan plan;
        try
        {
            plan = TrainingPlanner.Plan(Read(files), parsed.GetValue(Preset));
        }
        catch (PlanningException error)
        {
            throw new BadInputException($"{names}: {error.Message}");
        }

        if (parsed.GetValue(Output) is { } output) await File.WriteAllBytesAsync(output.FullName, plan.ToBytes(), cancellationToken);
        if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(Document(plan));
        else Print(plan);
        return CommandLine.Done;
    }

    private static DatasetFingerprint Read(FileInfo[] files)
    {
        var contents = files.Select(file => (file.FullName, Json: ReadBytes(file))).ToList();
        var sites = contents.Where(file => Named(file.FullName, () => FingerprintFile.IsSketch(file.Json)))
            .Select(file => Named(file.FullName, () => FingerprintFile.ReadSite(file.Json)))
            .ToList();
        if (sites.Count == 0 && contents is [var only]) return Named(only.FullName, () => FingerprintFile.ReadList(only.Json));
        if (sites.Count < contents.Count)
        {
            throw new BadInputException("Only sites' sketches can be merged; give a list of cases as the only --fingerprint.");
        }

        return Named(string.Join(", ", contents.Select(file => file.FullName)), () => SketchedFingerprint.Merge(sites));
    }

    private static byte[] ReadBytes(FileInfo file)
    {
        if (!file.Exists) throw new BadInputException($"There is no fingerprint '{file.FullName}'.");
        if (file.Length > FingerprintFile.LargestBytes)
        {
            throw new BadInputException($"{file.FullName} has {file.Length} bytes; at most {FingerprintFile.LargestBytes}.");
        }

        return File.ReadAllBytes(file.FullName);
    }

    private static T Named<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FingerprintException error)
        {
            throw new BadInputException($"{file}: the fingerprint can't be planned by: {error.Message}");
        }
    }

    private static object Document(TrainingPlan plan)
    {
        var main = plan.Main();
        var stages = main.Architecture.Topology!.Stages;
        return new
        {
            patchSize = main.PatchVoxels,
            batchSize = main.BatchSize,
            strides = stages.Select(stage => stage.Stride),
            kernels = stages.Select(stage => stage.Kernel),
            features = stages.Select(stage => stage.Features),
            targetSpacing = main.SpacingMm,
            memoryEstimate = main.MemoryEstimate,
            configuration = main.Name,
            planSha256 = plan.Digest().ToString(),
            plan,
        };
    }

    private static void Print(TrainingPlan plan)
    {
        foreach (var configuration in plan.Configurations)
        {
            var stages = configuration.Architecture.Topology!.Stages;
            var (patch, median) = (string.Join(", ", configuration.PatchVoxels), string.Join(", ", configuration.MedianShape));
            var weights = ArchitectureCatalog.Manifest(configuration.Architecture).ParameterCount;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
                {configuration.Name}: patch [{patch}] of a median image [{median}], batch {configuration.BatchSize}
                  {weights:N0} weights, memory estimate {configuration.MemoryEstimate:N0}
                  strides {Triples(stages.Select(stage => stage.Stride))}
                  kernels {Triples(stages.Select(stage => stage.Kernel))}
                """));
        }

        Console.WriteLine($"Plan SHA-256 {plan.Digest()}. In a job file:");
        Console.WriteLine(JobPart(plan));
    }

    /// <summary>The plan's main network as the keys of a job file.</summary>
    private static string JobPart(TrainingPlan plan)
    {
        var main = plan.Main();
        var topology = main.Architecture.Topology!;
        return string.Create(CultureInfo.InvariantCulture, $"""
            model:
              architecture: {main.Architecture.Name}
              strides: {Triples(topology.Stages.Select(stage => stage.Stride))}
              kernels: {Triples(topology.Stages.Select(stage => stage.Kernel))}
              features: [{string.Join(", ", topology.Stages.Select(stage => stage.Features))}]
              blocks: [{string.Join(", ", topology.Stages.Select(stage => stage.Blocks))}]
              decoderConvolutions: {topology.DecoderConvolutions}
              deepSupervision: {(topology.DeepSupervision ? "true" : "false")}
            data:
              modality: {plan.Modality}
              spacingMm: [{string.Join(", ", main.SpacingMm.Select(mm => mm.ToString(CultureInfo.InvariantCulture)))}]
              patchVoxels: [{string.Join(", ", main.PatchVoxels)}]
              crop: {JsonNamingPolicy.CamelCase.ConvertName(plan.Crop.ToString())}{Intensity(plan.Intensity)}
            training:
              batchSize: {main.BatchSize}
              batchDice: {(main.BatchDice ? "true" : "false")}
            """);
    }

    private static string Intensity(ForegroundIntensity? ct) => ct is null ? "" : string.Create(
        CultureInfo.InvariantCulture,
        $"\n  intensity: {{ mean: {ct.Mean}, deviation: {ct.Deviation}, lowerClip: {ct.LowerClip}, upperClip: {ct.UpperClip} }}");

    private static string Triples(IEnumerable<ImmutableArray<int>> triples) =>
        $"[{string.Join(", ", triples.Select(triple => string.Join('x', triple)))}]";
}
