using System.CommandLine;
using FedSeg.Cli.Imaging;
using FedSeg.Cli.Programs;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Explanation;
using FedSeg.Segmentation.Inference;

namespace FedSeg.Cli.Engine;

/// <summary>
/// <c>fedseg explain</c>: how sure a segmentation of one study is and what it depends on, as a page that a person at the hospital looks at.
/// </summary>
internal static class ExplainCommand
{
    private static readonly Option<FileInfo> Output = new("--out")
    {
        Description = "FILE.html, one page with its pictures inside. It shows the patient.",
        Required = true,
    };

    private static readonly Option<DirectoryInfo?> Pictures = new("--pictures")
    {
        Description = "Write the pictures as PNG files into this folder too.",
    };

    private static readonly Option<int> Blocks = new("--occlusion-blocks")
    {
        Description = "Blocks along each axis that are hidden one by one, 0 to 16; 0 leaves occlusion out, the slowest part.",
        DefaultValueFactory = _ => new ExplanationOptions().OcclusionBlocks,
    };

    private static readonly Option<int> Steps = new("--steps")
    {
        Description = "Steps of the integrated gradients, 1 to 500.",
        DefaultValueFactory = _ => new ExplanationOptions().IntegrationSteps,
    };

    public static Command Create() => new Command("explain", "Show how sure a segmentation is and what it depends on, as the first model sees it.")
    {
        ModelSwitches.Models, StudySeries.Input, Output, Pictures, StudySeries.Uid, ModelSwitches.Mirror, Blocks, Steps, Htj2kSwitch.Option, DeviceSwitch.Option,
    }.Computes(RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var output = OutputFile.PathOf(parsed, Output);
        if (!output.EndsWith(".html", StringComparison.OrdinalIgnoreCase))
        {
            throw new BadInputException($"--out {output}: the file must end in .html.");
        }

        var options = new ExplanationOptions
        {
            OcclusionBlocks = Within(parsed, Blocks, 0, 16),
            IntegrationSteps = Within(parsed, Steps, 1, 500),
        };
        var limits = Htj2kSwitch.Limits(parsed);
        using var predictor = ModelSwitches.Open(parsed);
        var series = StudySeries.Find(parsed, predictor.Model.Preprocessing, limits, cancellationToken);
        var study = await LocalEngine.OnOwnThread(
            () => Explain(predictor, VolumeReader.Read(series, limits, cancellationToken), options, cancellationToken));

        var page = new ExplanationPage(study);
        await File.WriteAllTextAsync(output, page.Html(), cancellationToken);
        if (parsed.GetValue(Pictures) is { } folder) page.WritePictures(folder.FullName);
        if (parsed.GetValue(CommandLine.Json)) JsonOutput.Write(Document(study, output));
        else Console.WriteLine($"{output} shows the patient: it stays at the hospital.");
        return CommandLine.Done;
    }

    private static ExplainedStudy Explain(
        Predictor predictor, Volume image, ExplanationOptions options, CancellationToken cancellationToken)
    {
        Console.Error.WriteLine("segmenting");
        var uncertain = predictor.SegmentWithUncertainty(image, progress: null, cancellationToken);
        var agreement = predictor.Agreement(image, progress: null, cancellationToken);
        Console.Error.WriteLine("explaining");
        var labels = predictor.Explain(image, uncertain.Labels, options, cancellationToken);
        return new ExplainedStudy(predictor.Model, image, uncertain, agreement, labels);
    }

    private static int Within(ParseResult parsed, Option<int> option, int least, int most)
    {
        var value = parsed.GetValue(option);
        return value >= least && value <= most ? value : throw new BadInputException($"{option.Name} is {value}; use {least} to {most}.");
    }

    private static object Document(ExplainedStudy study, string page) => new
    {
        page,
        agreement = study.Agreement?.Score,
        labels = study.Labels.Select((label, i) => new
        {
            label,
            volumeMl = study.VolumeMl(i + 1),
            meanEntropy = study.MeanWithin(study.Uncertain.Entropy, i + 1),
            meanMutualInformation = study.MeanWithin(study.Uncertain.MutualInformation, i + 1),
            agreement = study.Agreement?.DicePerLabel[i],
            probability = study.Explanations[i]?.Probability,
            completenessGap = study.Explanations[i]?.CompletenessGap,
            randomWeights = study.Explanations[i] is { } explained
                ? new { gradCam = explained.GradCamOfRandomWeights, integratedGradients = explained.IntegratedGradientsOfRandomWeights }
                : null,
        }),
    };
}
