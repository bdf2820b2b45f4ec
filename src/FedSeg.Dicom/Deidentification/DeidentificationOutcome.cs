namespace FedSeg.Dicom.Deidentification;

/// <summary>What became of an attribute.</summary>
public enum AttributeOutcome
{
    Removed,

    Emptied,

    /// <summary>A dummy value stands in its place.</summary>
    Replaced,

    /// <summary>A new UID, or for PatientID a pseudonym, stands in its place.</summary>
    Remapped,

    /// <summary>Kept because an option asks for it.</summary>
    Kept,

    /// <summary>Kept in part: harmless words of a text, a moved date, an age above 89 as 90, a sequence without its free text.</summary>
    Cleaned,

    /// <summary>The profile would let it stay, but it held a name or number of the patient: a dummy stands in its place.</summary>
    EchoReplaced,
}

/// <summary>What became of a file: written or held back.</summary>
public abstract record DeidentificationOutcome
{
    private protected DeidentificationOutcome()
    {
    }
}

/// <summary>The file was written.</summary>
/// <param name="Path">Below the output folder: new study, series and instance UID. Nothing of the input's name is in it.</param>
public sealed record DeidentifiedFile(string Path) : DeidentificationOutcome;

/// <summary>The file was held back.</summary>
public sealed record QuarantinedFile(QuarantineReason Reason) : DeidentificationOutcome;
