using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Cases;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>From a case folder to network input.</summary>
internal static class CasePreparation
{
    /// <summary>Exactly one of the two is given: the prepared case, or why it was refused.</summary>
    public static (PreparedCase? Case, QuarantinedCase? Refused) Read(
        CaseReader reader, string folder, LabelVocabulary vocabulary, PreprocessingSpec preprocessing, CancellationToken cancellationToken)
    {
        switch (reader.Read(folder, vocabulary, cancellationToken))
        {
            case CaseOutcome.Quarantined quarantined:
                return (null, new QuarantinedCase(folder, quarantined.Reason.ToString(), quarantined.Detail));
            case CaseOutcome.Usable { Case: var usable } when usable.Modality != preprocessing.Modality:
                var detail = $"{folder}: the images are {usable.Modality}, the run trains on {preprocessing.Modality}. Take the case out of this cohort.";
                return (null, new QuarantinedCase(folder, nameof(QuarantineReason.UnsupportedImage), detail));
            case CaseOutcome.Usable { Case: var usable }:
                var image = PreparedImage.From(usable.Image, preprocessing, maxThreads: 1); // cases are read in parallel
                return (new PreparedCase(usable.PatientKey, image, image.Prepare(usable.Labels), usable.Labels) { Undrawn = [.. vocabulary.Undrawn] }, null);
            case var other:
                throw new InvalidOperationException($"{other.GetType().Name} is not handled.");
        }
    }
}
