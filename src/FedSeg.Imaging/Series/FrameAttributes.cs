using FedSeg.Dicom.DataSets;

namespace FedSeg.Imaging.Series;

/// <summary>
/// The attributes of one frame wherever a file keeps them: in the functional groups of an enhanced object (PS3.3 §C.7.6.16), where a
/// frame's own group goes before the shared one, or at the top of a single-frame file.
/// </summary>
internal sealed class FrameAttributes
{
    private readonly DataSet? _top;
    private readonly DataSet? _frame;
    private readonly DataSet? _shared;

    private FrameAttributes(DataSet? top, DataSet? frame, DataSet? shared) => (_top, _frame, _shared) = (top, frame, shared);

    /// <summary>The file keeps its frames' attributes in functional groups.</summary>
    public static bool AreGroupedIn(DataSet set) =>
        set.Find(Tags.SharedFunctionalGroupsSequence) is not null || set.Find(Tags.PerFrameFunctionalGroupsSequence) is not null;

    /// <summary>One entry a frame, in frame order.</summary>
    public static IReadOnlyList<FrameAttributes> Of(DataSet set)
    {
        if (!AreGroupedIn(set))
        {
            return [new FrameAttributes(set, null, null)];
        }

        var shared = set.Items(Tags.SharedFunctionalGroupsSequence) is [var group, ..] ? group : null;
        return [.. set.Items(Tags.PerFrameFunctionalGroupsSequence).Select(frame => new FrameAttributes(null, frame, shared))];
    }

    /// <summary>
    /// The data set that holds the attributes of a functional group: its only item, or the whole file where there are no groups;
    /// <see langword="null"/> where the object lacks the group.
    /// </summary>
    public DataSet? Group(DicomTag sequence) => _top ?? First(_frame, sequence) ?? First(_shared, sequence);

    /// <summary>All items of a functional group that may have several; empty where there are no groups.</summary>
    public IReadOnlyList<DataSet> Groups(DicomTag sequence) =>
        _frame?.Items(sequence) is { Count: > 0 } own ? own : _shared?.Items(sequence) ?? [];

    private static DataSet? First(DataSet? set, DicomTag sequence) => set?.Items(sequence) is [var item, ..] ? item : null;
}
