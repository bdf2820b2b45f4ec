namespace FedSeg.Dicom.Deidentification;

/// <summary>What the profile asks for an attribute, PS3.15 Table E.1-1a. Alternatives such as X/Z/D are several of these.</summary>
internal enum ProfileAction
{
    /// <summary>X.</summary>
    Remove,

    /// <summary>Z: zero length, or a dummy value.</summary>
    Empty,

    /// <summary>D: a dummy value that the representation allows.</summary>
    Dummy,

    /// <summary>U and U*: another UID, the same one for the same UID everywhere; in a sequence the UIDs of its items.</summary>
    ReplaceUid,

    /// <summary>K: unchanged, items of a sequence cleaned.</summary>
    Keep,

    /// <summary>C: a value of like meaning that identifies nobody.</summary>
    Clean,
}
