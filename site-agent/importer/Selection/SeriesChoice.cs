using FedSeg.Importer.Pacs;

namespace FedSeg.Importer.Selection;

/// <summary>Which series of a study make a case, or why it makes none.</summary>
internal abstract record SeriesChoice
{
    private SeriesChoice() { }

    public sealed record Chosen(IReadOnlyList<Uid> Series) : SeriesChoice;

    public sealed record Nothing(SkipReason Reason) : SeriesChoice;
}

/// <summary>Why a study that matched is not imported; a code for logs and reports.</summary>
internal enum SkipReason
{
    /// <summary>No series of the modalities and descriptions.</summary>
    NoImages,

    /// <summary>No segmentation of the kind asked for.</summary>
    NoSegmentation,

    /// <summary>
    /// Several segmentations, so it is open which is the reference; narrow <see cref="SelectionOptions.SegmentationDescription"/>.
    /// </summary>
    SeveralSegmentations,

    /// <summary>The chosen series list no instance.</summary>
    NoInstances,

    /// <summary>More than <see cref="PacsOptions.MaximumInstances"/>.</summary>
    TooManyInstances,
}
