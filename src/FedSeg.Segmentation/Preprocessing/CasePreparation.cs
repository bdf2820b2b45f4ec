using FedSeg.Dicom;
using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Cases;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>From a case folder to network input, by decoding it or from the cache.</summary>
/// <param name="reader">Reads the files.</param>
/// <param name="vocabulary">The run's labels and how this site's files call them.</param>
/// <param name="preprocessing">The plan's rules.</param>
/// <param name="limits">The reader's limits.</param>
/// <param name="cache">Where prepared cases are kept, if anywhere.</param>
internal sealed class CasePreparation(
    CaseReader reader, LabelVocabulary vocabulary, PreprocessingSpec preprocessing, DicomLimits? limits, CaseCache? cache)
{
    /// <summary>Exactly one of the two is given: the prepared case, or why it was refused.</summary>
    public (PreparedCase? Case, QuarantinedCase? Refused) Read(string folder, CancellationToken cancellationToken)
    {
        if (cache is null) return Prepare(folder, cancellationToken);
        var key = CaseCache.KeyOf(folder, vocabulary, preprocessing, limits);
        if (cache.Find(key) is { } known) return (known, null);

        var prepared = Prepare(folder, cancellationToken);
        if (prepared.Case is not null) cache.Store(key, prepared.Case);
        return prepared;
    }

    private (PreparedCase? Case, QuarantinedCase? Refused) Prepare(string folder, CancellationToken cancellationToken)
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
                return (image.PrepareCase(usable.PatientKey, usable.Labels, [.. vocabulary.Undrawn]), null);
            case var other:
                throw new InvalidOperationException($"{other.GetType().Name} is not handled.");
        }
    }
}
