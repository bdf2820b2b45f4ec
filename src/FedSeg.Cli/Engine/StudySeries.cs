using FedSeg.Cli.Programs;
using FedSeg.Dicom;
using FedSeg.Imaging.Series;

namespace FedSeg.Cli.Engine;

/// <summary>The one series of a study that a model is used on.</summary>
internal static class StudySeries
{
    /// <param name="folder">The study's DICOM files, in any names and sub-folders.</param>
    /// <param name="modality">The model's modality.</param>
    /// <param name="uid">SeriesInstanceUID, where the study has several of that modality.</param>
    /// <param name="limits">Bounds on what a file may ask for.</param>
    /// <param name="cancellationToken">Looked at between files.</param>
    /// <exception cref="BadInputException">None, or several, or one that makes no volume.</exception>
    public static ImageSeries Find(
        DirectoryInfo folder, string modality, string? uid, DicomLimits limits, CancellationToken cancellationToken)
    {
        if (!folder.Exists) throw new BadInputException($"There is no folder '{folder.FullName}'.");
        var candidates = DicomFolder.Read(folder.FullName, limits, cancellationToken: cancellationToken).Images
            .Where(slices => uid is null ? slices[0].Modality == modality : slices[0].SeriesUid == uid)
            .ToList();
        if (candidates.Count == 0)
        {
            throw new BadInputException($"'{folder.FullName}' has no {(uid is null ? modality + " series" : $"series {uid}")}.");
        }

        if (candidates.Count > 1)
        {
            var uids = string.Join(", ", candidates.Select(slices => slices[0].SeriesUid));
            throw new BadInputException($"'{folder.FullName}' has {candidates.Count} {modality} series; name one with --series: {uids}.");
        }

        return SeriesAssembly.Assemble(candidates[0]) switch
        {
            SeriesOutcome.Usable usable => usable.Series,
            SeriesOutcome.Refused refused => throw new BadInputException($"{refused.Reason}: {refused.Detail}"),
            _ => throw new InvalidOperationException("A series is either usable or refused."),
        };
    }
}
