using FedSeg.Dicom;
using FedSeg.Dicom.Codecs;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Segments;

namespace FedSeg.Imaging.Series;

/// <summary>The headers of every DICOM file below a folder, told apart by what they say. Pixels are not decoded.</summary>
/// <param name="Images">Slices by study and SeriesInstanceUID, in ordinal order of the series.</param>
/// <param name="Segmentations">Segmentations and structure sets in path order.</param>
/// <param name="Problems">Files that are DICOM but can't be used, and why.</param>
/// <param name="Others">Files that are no DICOM, and DICOM objects that are neither image nor segmentation.</param>
public sealed record DicomFolder(
    IReadOnlyList<IReadOnlyList<SliceHeader>> Images,
    IReadOnlyList<SegmentationObject> Segmentations,
    IReadOnlyList<FileProblem> Problems,
    IReadOnlyList<FileProblem> Others)
{
    /// <summary>
    /// Reads the headers of all files below <paramref name="directory"/>, in any names and sub-folders, on all of the machine's cores. The
    /// result does not depend on how many there are.
    /// </summary>
    /// <param name="progress">Is told of files read, from several threads and in no order.</param>
    /// <exception cref="DirectoryNotFoundException">The folder is not there.</exception>
    public static DicomFolder Read(
        string directory, DicomLimits? limits = null, IProgress<FolderProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        string[] paths = [.. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        var contents = new FileContent[paths.Length];
        var done = 0;
        Parallel.For(0, paths.Length, new ParallelOptions { CancellationToken = cancellationToken }, index =>
        {
            contents[index] = ReadFile(paths[index], limits);
            progress?.Report(new FolderProgress(Interlocked.Increment(ref done), paths.Length));
        });
        return new DicomFolder(
            [.. contents.SelectMany(content => content.Slices)
                .GroupBy(slice => (slice.StudyUid, slice.SeriesUid))
                .OrderBy(group => group.Key.SeriesUid, StringComparer.Ordinal).ThenBy(group => group.Key.StudyUid, StringComparer.Ordinal)
                .Select(group => group.ToArray())],
            [.. contents.Select(content => content.Segmentation).OfType<SegmentationObject>()],
            [.. contents.Where(content => content.Problem is { IsBystander: false }).Select(content => content.Problem!)],
            [.. contents.Where(content => content.Problem is { IsBystander: true }).Select(content => content.Problem!)]);
    }

    private static FileContent ReadFile(string path, DicomLimits? limits)
    {
        try
        {
            var file = DicomFile.OpenHeader(path, limits);
            if (SegmentationObject.In(file) is { } segmentation)
            {
                CodecAvailability.Check(file);
                return new([], segmentation, null);
            }

            if (file.DataSet.Find(Tags.Rows) is null)
            {
                return Problem(path, QuarantineReason.NotAnImage, $"{path}: a DICOM object without an image (a report, a plan, a "
                    + "directory); nothing to be done.");
            }

            CodecAvailability.Check(file);
            return new(SliceHeaderReader.Read(file), null, null);
        }
        catch (DicomException refusal)
        {
            return Problem(path, FileProblem.ReasonOf(refusal.Fault), refusal.Message);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Problem(path, QuarantineReason.UnreadableFile, $"{path}: the file can't be opened ({fault.GetType().Name}). Check its "
                + "permissions.");
        }
    }

    private static FileContent Problem(string path, QuarantineReason reason, string detail) =>
        new([], null, new FileProblem(path, reason, detail));

    private sealed record FileContent(IReadOnlyList<SliceHeader> Slices, SegmentationObject? Segmentation, FileProblem? Problem);
}

/// <summary>How far the reading of a folder is, in files.</summary>
public readonly record struct FolderProgress(int Done, int Total);

/// <summary>A file that can't be used.</summary>
/// <param name="Detail">What is wrong, where and what to do; for the site's own eyes.</param>
public sealed record FileProblem(string Path, QuarantineReason Reason, string Detail)
{
    /// <summary>The file was never meant to be used: nothing is amiss with the study.</summary>
    public bool IsBystander => Reason is QuarantineReason.NotDicom or QuarantineReason.NotAnImage;

    internal static QuarantineReason ReasonOf(DicomFault fault) => fault switch
    {
        DicomFault.NotDicom => QuarantineReason.NotDicom,
        DicomFault.LimitExceeded => QuarantineReason.LimitExceeded,
        DicomFault.UnsupportedTransferSyntax => QuarantineReason.UnsupportedTransferSyntax,
        DicomFault.CodecMissing => QuarantineReason.CodecMissing,
        DicomFault.UnsupportedPixels => QuarantineReason.UnsupportedImage,
        _ => QuarantineReason.UnreadableFile,
    };
}
