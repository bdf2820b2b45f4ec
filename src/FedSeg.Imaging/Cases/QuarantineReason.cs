namespace FedSeg.Imaging.Cases;

/// <summary>
/// Why a file, series or case was refused: the closed set of codes that may be counted and leave the site. What exactly is wrong, and
/// where, stands beside the code in a detail that stays.
/// </summary>
public enum QuarantineReason
{
    /// <summary>A case folder without any DICOM image or segmentation.</summary>
    NoDicomFiles,

    /// <summary>A file that is no DICOM at all.</summary>
    NotDicom,

    /// <summary>A DICOM object that holds no image: a report, a plan, a key object note, a directory.</summary>
    NotAnImage,

    /// <summary>Truncated, corrupt, without an element that it must have, or not to be opened.</summary>
    UnreadableFile,

    /// <summary>The decoder's native library is not on this machine.</summary>
    CodecMissing,

    /// <summary>No decoder here knows the transfer syntax.</summary>
    UnsupportedTransferSyntax,

    NoImageSeries,

    /// <summary>Images without a PatientID: nothing says whose they are.</summary>
    NoPatientId,

    /// <summary>More than one series fits, so that one would have to be guessed.</summary>
    SeveralImageSeries,

    /// <summary>One series holds several volumes (echoes, b-values, phases, kernels), and nothing says which is meant.</summary>
    SeveralStacks,

    NoSegmentation,
    SeveralSegmentations,

    /// <summary>The segmentation refers to no image series here, or lies in another frame of reference.</summary>
    SegmentationOfAnotherSeries,

    /// <summary>The segmentation does not fall on the image's voxels or planes.</summary>
    SegmentationGridMismatch,

    /// <summary>Contours that enclose nothing, a concatenation, or more bits than the kind allows.</summary>
    UnsupportedSegmentation,

    /// <summary>A voxel would get two labels.</summary>
    OverlappingLabels,

    /// <summary>A label of the run has no segment.</summary>
    LabelMissing,

    /// <summary>Positions that are multiples of the spacing apart, or a single slice.</summary>
    MissingSlices,

    /// <summary>Two slices at one position that nothing tells apart.</summary>
    DuplicateSlices,

    IrregularSpacing,
    MixedOrientation,

    /// <summary>The line of the slices' positions is not their normal.</summary>
    GantryTilt,

    /// <summary>Slices of different size, pixel spacing, frame of reference, modality or patient.</summary>
    InconsistentSeries,

    /// <summary>A scout.</summary>
    Localizer,

    /// <summary>Siemens mosaic: all slices tiled into one picture.</summary>
    Mosaic,

    /// <summary>A screen save, a scanned document, a rendered picture.</summary>
    SecondaryCapture,

    /// <summary>Text burned into the pixels may name the patient.</summary>
    BurnedInAnnotation,

    /// <summary>Colour, floating-point pixels, or no position in the patient.</summary>
    UnsupportedImage,

    /// <summary>Larger than an option allows.</summary>
    LimitExceeded,
}
