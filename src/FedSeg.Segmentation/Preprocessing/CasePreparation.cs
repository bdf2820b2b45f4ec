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
/// <param name="isLeftOut">As for the reader.</param>
internal sealed class CasePreparation(
    CaseReader reader, LabelVocabulary vocabulary, PreprocessingSpec preprocessing, DicomLimits? limits, CaseCache? cache, Func<string, bool>? isLeftOut)
{
    public ReadCase Read(string folder, CancellationToken cancellationToken)
    {
        if (cache is null) return Prepare(folder, cancellationToken);
        if (CaseCache.KeyOf(folder, vocabulary, preprocessing, limits) is not { } key) return Prepare(folder, cancellationToken);
        if (cache.Find(key) is { } known)
        {
            if (isLeftOut?.Invoke(known.PatientKey) != true) return new ReadCase(folder) { Case = known };
            // Kept when the patient still took part.
            cache.Remove(key);
            return new ReadCase(folder) { LeftOut = known.PatientKey };
        }

        var prepared = Prepare(folder, cancellationToken);
        return prepared.Case is null ? prepared : prepared with { Case = cache.Store(key, prepared.Case) };
    }

    private ReadCase Prepare(string folder, CancellationToken cancellationToken)
    {
        switch (reader.Read(folder, vocabulary, cancellationToken))
        {
            case CaseOutcome.Quarantined quarantined:
                return new ReadCase(folder) { Refused = new QuarantinedCase(folder, quarantined.Reason.ToString(), quarantined.Detail) };
            case CaseOutcome.LeftOut leftOut:
                return new ReadCase(folder) { LeftOut = leftOut.PatientKey };
            case CaseOutcome.Usable { Case: var usable } when usable.Modality != preprocessing.Modality:
                var detail = $"{folder}: the images are {usable.Modality}, the run trains on {preprocessing.Modality}. Take the case out of this cohort.";
                return new ReadCase(folder) { Refused = new QuarantinedCase(folder, nameof(QuarantineReason.UnsupportedImage), detail) };
            case CaseOutcome.Usable { Case: var usable } when PreparedImage.Problem(usable.Image.Grid, preprocessing) is { } problem:
                return new ReadCase(folder) { Refused = new QuarantinedCase(folder, nameof(QuarantineReason.LimitExceeded), $"{folder}: {problem}") };
            case CaseOutcome.Usable { Case: var usable }:
                var image = PreparedImage.From(usable.Image, preprocessing, maxThreads: 1); // cases are read in parallel
                return new ReadCase(folder) { Case = image.PrepareCase(usable.PatientKey, usable.Labels, [.. vocabulary.Undrawn]) };
            case var other:
                throw new InvalidOperationException($"{other.GetType().Name} is not handled.");
        }
    }
}

/// <summary>What became of a case folder: one of the three.</summary>
internal sealed record ReadCase(string Folder)
{
    public PreparedCase? Case { get; init; }

    public QuarantinedCase? Refused { get; init; }

    /// <summary>The key of a patient who is left out.</summary>
    public string? LeftOut { get; init; }
}
