using System.CommandLine;
using System.Diagnostics;
using FedSeg.Cli.Imaging;
using FedSeg.Cli.Programs;
using FedSeg.Dicom;
using FedSeg.Imaging.Nifti;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Inference;

namespace FedSeg.Cli.Engine;

/// <summary><c>fedseg predict</c>: sliding-window segmentation of one study, as DICOM SEG or NIfTI.</summary>
internal static class PredictCommand
{
    private static readonly Option<FileInfo> Output = new("--out")
    {
        Description = "FILE.dcm for a DICOM segmentation, FILE.nii or FILE.nii.gz for NIfTI.",
        Required = true,
    };

    private static readonly Option<string[]> KeepLargest = new("--keep-largest")
    {
        Description = "Labels cut down to their largest piece, 'all' for all of them together; --post-processing knows by measurement which.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<bool> LabelMap = new("--label-map")
    {
        Description = "Write the DICOM segmentation as a label map (Supplement 243): far smaller, but few viewers read it yet.",
    };

    public static Command Create() => new Command("predict", "Segment one study.")
    {
        ModelSwitches.Models, StudySeries.Input, Output, StudySeries.Uid, ModelSwitches.Mirror, ModelSwitches.PostProcessing, KeepLargest, LabelMap, Htj2kSwitch.Option, DeviceSwitch.Option,
    }.Computes(RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var output = OutputFile.PathOf(parsed, Output);
        var isDicom = EndsWith(".dcm");
        if (!isDicom && !EndsWith(".nii.gz") && !EndsWith(".nii"))
        {
            throw new BadInputException($"--out {output}: the file must end in .dcm, .nii.gz or .nii.");
        }

        var isLabelMap = parsed.GetValue(LabelMap);
        if (isLabelMap && !isDicom) throw new BadInputException($"--label-map is a kind of DICOM segmentation; --out {output} is NIfTI.");
        var watch = Stopwatch.StartNew();
        var limits = Htj2kSwitch.Limits(parsed);
        using var predictor = ModelSwitches.Open(parsed);
        var processing = await ProcessingAsync(parsed, predictor.Model.Labels, cancellationToken);
        var series = StudySeries.Find(parsed, predictor.Model.Preprocessing, limits, cancellationToken);
        var labels = await LocalEngine.OnOwnThread(() => processing.Apply(Segment(predictor, series, limits, cancellationToken)));

        if (isDicom) SegmentationWriter.Write(output, series, labels, Description(predictor, series, isLabelMap));
        else NiftiWriter.Write(output, labels);
        Report(parsed.GetValue(CommandLine.Json), predictor.Model.Labels, labels, watch.Elapsed.TotalSeconds);
        return CommandLine.Done;

        bool EndsWith(string ending) => output.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
    }

    private static LabelVolume Segment(Predictor predictor, ImageSeries series, DicomLimits limits, CancellationToken cancellationToken)
    {
        var image = VolumeReader.Read(series, limits, cancellationToken);
        var said = -1;
        return predictor.Segment(image, done =>
        {
            // Every tenth: a line each is enough for a log, and a person sees that it moves.
            if ((int)(done * 10) == said) return;
            said = (int)(done * 10);
            Console.Error.WriteLine($"{said * 10} % of the windows done");
        }, cancellationToken);
    }

    private static async Task<PostProcessing> ProcessingAsync(ParseResult parsed, IReadOnlyList<string> labels, CancellationToken cancellationToken)
    {
        var keepLargest = parsed.GetValue(KeepLargest) ?? [];
        if (parsed.GetValue(ModelSwitches.PostProcessing) is { } decided)
        {
            if (keepLargest.Length > 0) throw new BadInputException("--post-processing decides which labels are cut down; leave --keep-largest out.");
            return PostProcessingDecision.Read(decided, await ModelSwitches.DigestsAsync(parsed, cancellationToken), labels).Processing;
        }

        var single = keepLargest.Where(name => name != "all").Select(name =>
        {
            var index = labels.ToList().FindIndex(label => string.Equals(label, name, StringComparison.OrdinalIgnoreCase));
            return index < 0
                ? throw new BadInputException($"--keep-largest {name}: the model's labels are {string.Join(", ", labels)}; or use all.")
                : (byte)(index + 1);
        });
        return new PostProcessing(keepLargest.Contains("all"), [.. single]);
    }

    private static SegmentationDescription Description(Predictor predictor, ImageSeries series, bool isLabelMap)
    {
        var model = predictor.Model;
        return new SegmentationDescription(
            [.. model.Labels.Select(SegmentDescription.OfStructure)],
            SegmentAlgorithm.Automatic,
            model.Run is { } run ? $"FedSeg {run}" : "FedSeg",
            // One segmentation a call: UIDs must never be given twice.
            $"predict/{series.SeriesUid}/{Guid.NewGuid()}",
            TimeProvider.System.GetLocalNow().DateTime)
        {
            Kind = isLabelMap ? SegmentationKind.LabelMap : SegmentationKind.Binary,
            SeriesDescription = SegmentationDescription.Prediction,
        };
    }

    private static void Report(bool json, IReadOnlyList<string> names, LabelVolume labels, double seconds)
    {
        var counts = new long[256];
        foreach (var label in labels.Labels) counts[label]++;
        var spacing = labels.Grid.SpacingMm;
        var millilitres = spacing.X * spacing.Y * spacing.Z / 1000;
        var volumes = names.Select((name, i) => new { label = name, volumeMl = counts[i + 1] * millilitres }).ToList();
        if (json)
        {
            JsonOutput.Write(new { labels = volumes, seconds });
            return;
        }

        foreach (var volume in volumes) Console.WriteLine($"{volume.label}: {volume.volumeMl:F2} ml");
        Console.WriteLine($"{seconds:F1} s");
    }
}
