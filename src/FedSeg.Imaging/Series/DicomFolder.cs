using FedSeg.Dicom;
using FedSeg.Dicom.Codecs;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Segments;

namespace FedSeg.Imaging.Series;

/// <summary>The headers of every DICOM file below a folder, told apart by what they say. Pixels are not decoded.</summary>
/// <param name="Images">Image files by SeriesInstanceUID, in ordinal order of it.</param>
/// <param name="Segmentations">Segmentation files in path order.</param>
/// <param name="Problems">Files that are DICOM but can't be used, and why.</param>
/// <param name="OtherFiles">Files that are no DICOM, and DICOM objects that are neither image nor segmentation.</param>
public sealed record DicomFolder(
    IReadOnlyList<IReadOnlyList<SliceHeader>> Images,
    IReadOnlyList<SegmentationHeader> Segmentations,
    IReadOnlyList<FileProblem> Problems,
    int OtherFiles)
{
    /// <summary>Reads the headers of all files below <paramref name="directory"/>, in any names and sub-folders.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder is not there.</exception>
    public static DicomFolder Read(string directory, DicomLimits? limits = null, CancellationToken cancellationToken = default)
    {
        var images = new List<SliceHeader>();
        var segmentations = new List<SegmentationHeader>();
        var problems = new List<FileProblem>();
        var others = 0;
        foreach (var path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                var file = DicomFile.OpenHeader(path, limits);
                var sopClass = file.DataSet.Text(Tags.SopClassUid);
                if (SegmentationHeader.IsSegmentation(sopClass))
                {
                    CodecAvailability.Check(file);
                    segmentations.Add(SegmentationHeader.Of(file));
                }
                else if (file.DataSet.Find(Tags.Rows) is not null)
                {
                    CodecAvailability.Check(file);
                    images.Add(SliceHeader.Of(file));
                }
                else
                {
                    others++;
                }
            }
            catch (DicomException refusal) when (refusal.Fault == DicomFault.NotDicom)
            {
                others++;
            }
            catch (DicomException refusal)
            {
                problems.Add(new FileProblem(path, FileProblem.ReasonOf(refusal.Fault), refusal.Message));
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                problems.Add(new FileProblem(path, QuarantineReason.UnreadableFile, $"{path}: the file can't be opened ({fault.GetType().Name}). Check its permissions."));
            }
        }

        return new DicomFolder(
            [.. images.GroupBy(image => image.SeriesUid, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => group.ToArray())],
            segmentations,
            problems,
            others);
    }
}

/// <summary>A DICOM file that can't be used.</summary>
/// <param name="Detail">What is wrong, where and what to do; for the site's own eyes.</param>
public sealed record FileProblem(string Path, QuarantineReason Reason, string Detail)
{
    internal static QuarantineReason ReasonOf(DicomFault fault) => fault switch
    {
        DicomFault.LimitExceeded => QuarantineReason.LimitExceeded,
        DicomFault.UnsupportedTransferSyntax => QuarantineReason.UnsupportedTransferSyntax,
        DicomFault.CodecMissing => QuarantineReason.CodecMissing,
        DicomFault.UnsupportedPixels => QuarantineReason.UnsupportedImage,
        _ => QuarantineReason.UnreadableFile,
    };
}
