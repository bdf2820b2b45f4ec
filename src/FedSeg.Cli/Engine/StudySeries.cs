using System.CommandLine;
using FedSeg.Cli.Programs;
using FedSeg.Dicom;
using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Series;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Cli.Engine;

/// <summary>The one series of a study that a model is used on.</summary>
internal static class StudySeries
{
    public static Option<DirectoryInfo> Input { get; } = new("--input")
    {
        Description = "The study's DICOM files, in any names and sub-folders.",
        Required = true,
    };

    public static Option<string?> Uid { get; } = new("--series")
    {
        Description = "SeriesInstanceUID, where the study has several series of the model's modality.",
    };

    /// <param name="parsed">Names the folder, and the series where the study has several of that modality.</param>
    /// <param name="preprocessing">The model's: its modality, and the spacing that the series is brought to.</param>
    /// <param name="limits">Bounds on what a file may ask for.</param>
    /// <param name="cancellationToken">Looked at between files.</param>
    /// <exception cref="BadInputException">None, or several, or one of another modality or that makes no volume.</exception>
    public static ImageSeries Find(ParseResult parsed, PreprocessingSpec preprocessing, DicomLimits limits, CancellationToken cancellationToken)
    {
        var (folder, uid, modality) = (parsed.GetRequiredValue(Input), parsed.GetValue(Uid), preprocessing.Modality);
        if (!folder.Exists) throw new BadInputException($"There is no folder '{folder.FullName}'.");
        var study = DicomFolder.Read(folder.FullName, limits, cancellationToken: cancellationToken);
        foreach (var problem in study.Problems.Where(problem => !problem.IsBystander)) Console.Error.WriteLine($"left out: {problem.Detail}");
        var candidates = study.Images
            .Where(slices => uid is null ? slices[0].Modality == modality : slices[0].SeriesUid == uid)
            .ToList();
        if (candidates.Count == 0)
        {
            throw new BadInputException($"'{folder.FullName}' has no {(uid is null ? modality + " series" : $"series {uid}")}.");
        }

        if (candidates[0][0].Modality is var found && found != modality)
        {
            throw new BadInputException($"'{folder.FullName}', series {uid}: the images are {found}, the model was trained on {modality}.");
        }

        if (candidates.Count > 1)
        {
            var uids = string.Join(", ", candidates.Select(slices => slices[0].SeriesUid));
            throw new BadInputException($"'{folder.FullName}' has {candidates.Count} {modality} series; name one with --series: {uids}.");
        }

        return SeriesAssembly.Assemble(candidates[0]) switch
        {
            SeriesOutcome.Usable { Series: var series } when PreparedImage.Problem(series.Grid, preprocessing) is { } problem =>
                throw new BadInputException($"'{folder.FullName}', series {series.SeriesUid}: {problem}"),
            SeriesOutcome.Usable usable => usable.Series,
            SeriesOutcome.Refused refused => throw new BadInputException($"{refused.Reason}: {refused.Detail}"),
            _ => throw new InvalidOperationException("A series is either usable or refused."),
        };
    }
}
