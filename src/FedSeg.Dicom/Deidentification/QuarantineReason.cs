namespace FedSeg.Dicom.Deidentification;

/// <summary>Why a file is not de-identified and not written: what software can't see or clean, it does not let out.</summary>
public enum QuarantineReason
{
    /// <summary>Not a DICOM file.</summary>
    NotDicom,

    /// <summary>DICOM, but corrupt, beyond a limit, or not readable by this program.</summary>
    Unreadable,

    /// <summary>A DICOMDIR: a list of patients and of the original file names.</summary>
    Directory,

    /// <summary>Big endian (retired) or a transfer syntax that this program does not know: its values can't be taken over safely.</summary>
    UnsupportedTransferSyntax,

    /// <summary>No SOP class, or no UID of study, series or instance.</summary>
    MissingUid,

    /// <summary>A second file with the same SOP Instance UID.</summary>
    DuplicateInstance,

    /// <summary>BurnedInAnnotation is YES.</summary>
    BurnedInAnnotation,

    /// <summary>A Secondary Capture SOP class or a conversion type: a screen, a scanned film, a photograph of paper.</summary>
    SecondaryCapture,

    /// <summary>ImageType says that it is a copy of a screen or a report page.</summary>
    ScreenSave,

    /// <summary>ImageType says SECONDARY and BurnedInAnnotation does not say NO.</summary>
    DerivedSecondary,

    /// <summary>Ultrasound: scanners write names into the picture, and there are no rules for where.</summary>
    UltrasoundWithoutRules,

    /// <summary>Projection angiography or fluoroscopy, for the same reason.</summary>
    AngiographyWithoutRules,

    /// <summary>Endoscopy, microscopy or photography: faces, labels, cards in the picture.</summary>
    VisibleLight,

    /// <summary>An encapsulated PDF, CDA or model.</summary>
    EncapsulatedDocument,

    /// <summary>A structured report or key object selection: free text throughout.</summary>
    StructuredReport,

    /// <summary>Overlay planes inside the pixel data, which must stay untouched.</summary>
    OverlayInPixelData,

    /// <summary>Any SOP class that is not on the list of those that are known to be cleaned well.</summary>
    SopClassNotListed,
}
