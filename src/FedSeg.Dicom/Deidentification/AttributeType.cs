namespace FedSeg.Dicom.Deidentification;

/// <summary>The type that an information object gives an attribute, PS3.5 §7.4.</summary>
internal enum AttributeType
{
    /// <summary>1 and 1C: present with a value.</summary>
    Required,

    /// <summary>2 and 2C: present, maybe empty.</summary>
    MayBeEmpty,

    /// <summary>3, or not part of the object.</summary>
    Optional,
}
