using FedSeg.Dicom;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;

namespace FedSeg.Imaging.Cases;

/// <summary>
/// Reads one labelled case: all files below its folder, exactly one image series and one segmentation of it, found by what the files say.
/// Nothing that a file holds makes it throw; a case that can't be trusted is quarantined with a reason.
/// </summary>
/// <param name="limits">Bounds on what a file may ask for.</param>
/// <param name="seriesOptions">How slices become a volume.</param>
/// <param name="segmentationOptions">How segments become labels.</param>
/// <param name="isLeftOut">Patients whose images are not to be decoded, by their key; <see langword="null"/> for none.</param>
public sealed class CaseReader(
    DicomLimits? limits = null,
    SeriesOptions? seriesOptions = null,
    SegmentationOptions? segmentationOptions = null,
    Func<string, bool>? isLeftOut = null)
{
    /// <param name="caseDirectory">The case's folder; files in any names and sub-folders.</param>
    /// <param name="vocabulary">The classes of the run; segments outside it are left out.</param>
    /// <param name="cancellationToken">Looked at between files.</param>
    public CaseOutcome Read(string caseDirectory, LabelVocabulary vocabulary, CancellationToken cancellationToken)
    {
        DicomFolder folder;
        try
        {
            folder = DicomFolder.Read(caseDirectory, limits, cancellationToken: cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return new CaseOutcome.Quarantined(QuarantineReason.UnreadableFile, $"{caseDirectory}: the folder or one in it can't be "
                + $"listed ({fault.GetType().Name}). Check its permissions.");
        }

        return CaseMatch.In(folder, caseDirectory, seriesOptions) switch
        {
            CaseMatch.Refused refused => new CaseOutcome.Quarantined(refused.Reason, refused.Detail),
            CaseMatch.Found found when isLeftOut?.Invoke(found.PatientKey) == true => new CaseOutcome.LeftOut(found.PatientKey),
            CaseMatch.Found found => Decode(found, vocabulary, cancellationToken),
            _ => throw new InvalidOperationException("A case is either found or refused."),
        };
    }

    private CaseOutcome Decode(CaseMatch.Found found, LabelVocabulary vocabulary, CancellationToken cancellationToken)
    {
        try
        {
            var segmentation = SegmentationReader.Read(
                found.Segmentation, found.Series.Grid, found.Series.FrameOfReferenceUid, vocabulary, segmentationOptions, limits);
            if (segmentation is SegmentationOutcome.Refused refused)
            {
                return new CaseOutcome.Quarantined(refused.Reason, refused.Detail);
            }

            var image = VolumeReader.Read(found.Series, limits, cancellationToken);
            var labels = ((SegmentationOutcome.Mapped)segmentation).Labels;
            return new CaseOutcome.Usable(new LabelledCase(found.PatientKey, image, labels, found.Series.Modality));
        }
        catch (DicomException refusal)
        {
            return new CaseOutcome.Quarantined(FileProblem.ReasonOf(refusal.Fault), refusal.Message);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return new CaseOutcome.Quarantined(QuarantineReason.UnreadableFile, $"A file of series {found.Series.SeriesUid} can't be "
                + $"opened ({fault.GetType().Name}). Check its permissions.");
        }
    }
}
