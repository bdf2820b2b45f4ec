using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Cases;

/// <summary>What became of one case folder: usable for training, or quarantined with a reason. One bad case never stops a run.</summary>
public abstract record CaseOutcome
{
    private CaseOutcome() { }

    /// <summary>The case can be trained on.</summary>
    public sealed record Usable(LabelledCase Case) : CaseOutcome;

    /// <summary>The case is of a patient whom the site leaves out; nothing but its headers was read.</summary>
    public sealed record LeftOut(string PatientKey) : CaseOutcome;

    /// <summary>The case was refused.</summary>
    /// <param name="Reason">A code that may be counted and reported.</param>
    /// <param name="Detail">
    /// What is wrong, where and what to do, for the site's own eyes: it may name files and tags and never leaves the site.
    /// </param>
    public sealed record Quarantined(QuarantineReason Reason, string Detail) : CaseOutcome;
}

/// <summary>An image with its reference segmentation on the same grid.</summary>
/// <param name="PatientKey">
/// A pseudonym of the patient for splitting by patient: hexadecimal SHA-256 of issuer and PatientID. It stays at the site.
/// </param>
/// <param name="Image">The image as the scanner's grid has it, after rescale.</param>
/// <param name="Labels">The reference on exactly the image's grid; classes as in the vocabulary.</param>
/// <param name="Modality">DICOM modality code, such as <c>MR</c> or <c>CT</c>.</param>
public sealed record LabelledCase(string PatientKey, Volume Image, LabelVolume Labels, string Modality);
