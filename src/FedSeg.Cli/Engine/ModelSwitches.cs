using System.CommandLine;
using System.Text.Json;
using FedSeg.Cli.Programs;
using FedSeg.Federation;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Networks;

namespace FedSeg.Cli.Engine;

/// <summary>The models of a command that uses them, and how they answer.</summary>
internal static class ModelSwitches
{
    public static Option<FileInfo[]> Models { get; } = new("--model")
    {
        Description = "A model file; several, such as those of a run's last rounds, answer as one by their mean.",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    public static Option<bool> Mirror { get; } = new("--mirror")
    {
        Description = "Mirror images vote too; slower by up to 8 times. Only for models trained with mirroring.",
    };

    public static Option<FileInfo?> PostProcessing { get; } = new("--post-processing")
    {
        Description = "A file: 'evaluate' writes into it which labels gain by keeping only their largest piece, 'predict' does what it says.",
    };

    /// <summary>SHA-256 of each model's file.</summary>
    public static async Task<IReadOnlyList<Sha256Digest>> DigestsAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var digests = new List<Sha256Digest>();
        foreach (var model in parsed.GetRequiredValue(Models)) digests.Add(await Sha256Digest.OfFileAsync(model.FullName, cancellationToken));
        return digests;
    }

    /// <summary>Opens the models on the device asked for. Nothing may have been computed before.</summary>
    /// <exception cref="BadInputException">One is not there, no model, or not of the others' kind.</exception>
    public static Predictor Open(ParseResult parsed)
    {
        var models = parsed.GetRequiredValue(Models);
        var missing = models.FirstOrDefault(model => !model.Exists);
        if (missing is not null) throw new BadInputException($"There is no model '{missing.FullName}'.");
        string[] paths = [.. models.Select(model => model.FullName)];
        var device = DeviceSwitch.Choose(parsed);
        try
        {
            ChooseKernels(paths);
            return Predictor.Open(paths, parsed.GetValue(Mirror), device);
        }
        catch (SafetensorsException error)
        {
            throw new BadInputException($"{string.Join(", ", paths)}: {error.Message}");
        }
    }

    /// <summary>
    /// The fastest instructions that are right for the models, while the process has not computed anything. The choice holds for one
    /// architecture; of several that differ, none is the choice's to make.
    /// </summary>
    private static void ChooseKernels(string[] paths)
    {
        var architectures = paths.Select(path => ModelMetadata.ReadFile(path).Architecture).ToList();
        var isOne = architectures.DistinctBy(architecture => JsonSerializer.Serialize(architecture, FederationJson.Options)).Count() == 1;
        if (isOne && ArchitectureCatalog.Problems(architectures[0]).Count == 0) CpuKernels.ChooseFor(architectures[0]);
    }
}
