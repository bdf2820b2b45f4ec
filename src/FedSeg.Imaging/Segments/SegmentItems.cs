using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;

namespace FedSeg.Imaging.Segments;

/// <summary>The items of SegmentSequence, PS3.3 §C.8.20.4.</summary>
internal static class SegmentItems
{
    /// <summary>CIELab as 16-bit numbers, PS3.3 §C.10.7.1.1: red, green, blue, yellow, magenta, cyan.</summary>
    private static readonly double[][] Colours =
    [
        [34885, 53485, 50171], [57496, 10794, 54237], [21168, 53250, 5167], [63664, 27356, 57158], [39523, 58128, 17255],
        [59727, 20538, 29220],
    ];

    private static readonly Code Background = new("125040", "DCM", "Background");

    public static IEnumerable<DataSetBuilder> Of(SegmentationDescription description)
    {
        var segments = description.Segments.Select((segment, index) => Item(index + 1, segment, description)
            .Numbers(Tags.RecommendedDisplayCieLabValue, [.. Colours[index % Colours.Length]]));

        // In a label map the value 0 is a segment too, Sup 243.
        return description.Kind == SegmentationKind.LabelMap
            ? segments.Prepend(Item(0, new SegmentDescription("Background", Background, Background), description))
            : segments;
    }

    public static DataSetBuilder CodeItem(Code code) => new DataSetBuilder()
        .Text(Tags.CodeValue, code.Value)
        .Text(Tags.CodingSchemeDesignator, code.Scheme)
        .Text(Tags.CodeMeaning, code.Meaning);

    private static DataSetBuilder Item(int number, SegmentDescription segment, SegmentationDescription description)
    {
        var item = new DataSetBuilder()
            .Numbers(Tags.SegmentNumber, number)
            .Text(Tags.SegmentLabel, segment.Label)
            .Text(Tags.SegmentAlgorithmType, description.Algorithm.ToString().ToUpperInvariant())
            .Sequence(Tags.SegmentedPropertyCategoryCodeSequence, CodeItem(segment.Category))
            .Sequence(Tags.SegmentedPropertyTypeCodeSequence, CodeItem(segment.Type));
        return description.Algorithm == SegmentAlgorithm.Manual ? item : item
            .Text(Tags.SegmentAlgorithmName, description.AlgorithmName)
            .Sequence(Tags.SegmentationAlgorithmIdentificationSequence, new DataSetBuilder()
                .Sequence(Tags.AlgorithmFamilyCodeSequence, CodeItem(new Code("123110", "DCM", "Artificial Intelligence")))
                .Text(Tags.AlgorithmName, description.AlgorithmName)
                .Text(Tags.AlgorithmVersion, description.AlgorithmVersion));
    }
}
