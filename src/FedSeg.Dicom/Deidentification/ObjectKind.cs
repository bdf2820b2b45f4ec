namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// Kinds of objects in which the attributes with a conditional action have the same types; the columns of conditional-types.csv.
/// </summary>
internal enum ObjectKind
{
    /// <summary>CR, CT, MR and NM images, one frame or NM's many.</summary>
    PlainImage,

    /// <summary>PET images of one frame.</summary>
    Pet,

    /// <summary>Enhanced and legacy converted enhanced CT, MR and PET.</summary>
    EnhancedImage,

    /// <summary>Segmentations and parametric maps.</summary>
    Segmentation,

    StructureSet,

    Other,
}
