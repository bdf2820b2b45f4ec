using System.Collections.Immutable;
using System.Text.RegularExpressions;
using FedSeg.Federation.Rounds;

namespace FedSeg.Segmentation.Inference;

/// <summary>Along which axes an image may be mirrored without changing what its labels mean.</summary>
public static partial class Mirroring
{
    private const int LeftRightAxis = 2;

    /// <summary>
    /// z, y and x (0, 1, 2), without the slice axis of a 2D network, and without x where a label's name tells left from right: mirrored,
    /// one would be the other.
    /// </summary>
    public static ImmutableArray<int> AxesOf(IEnumerable<string> labels, PreprocessingSpec preprocessing)
    {
        var sided = labels.Any(NamesASide);
        return [.. Enumerable.Range(0, 3).Where(axis => preprocessing.PatchVoxels[axis] > 1 && !(sided && axis == LeftRightAxis))];
    }

    private static bool NamesASide(string label) =>
        label.AsSpan().ContainsAny('左', '右')
        || Word().Matches(label).Any(word => word.Value.ToLowerInvariant() is "left" or "right" or "l" or "r" or "lt" or "rt");

    /// <summary>Letters of one case, the first of which may be a capital: LeftKidney and LVentricle have two words.</summary>
    [GeneratedRegex(@"\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})")]
    private static partial Regex Word();
}
