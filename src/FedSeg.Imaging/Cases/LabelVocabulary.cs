namespace FedSeg.Imaging.Cases;

/// <summary>
/// The classes a run trains, and how this site's files call them. Class 1 is the first label, 0 the background.
/// A site whose radiologists write other segment names maps them in its own settings; the mapping never leaves the site.
/// </summary>
/// <param name="Labels">The run's labels in class order; one without any alias is not drawn at this site, wherever it may be in the images.</param>
public sealed record LabelVocabulary(IReadOnlyList<LabelName> Labels)
{
    /// <summary>The classes that nobody draws at this site.</summary>
    public IReadOnlyList<byte> Undrawn => [.. Labels.Select((label, i) => (label, i)).Where(entry => entry.label.Aliases.Count == 0).Select(entry => (byte)(entry.i + 1))];

    /// <summary>A vocabulary whose files use the run's own names.</summary>
    public static LabelVocabulary Of(params IEnumerable<string> names) => new([.. names.Select(name => new LabelName(name, [name]))]);

    /// <summary>The class (1 to n) of a segment label as it stands in a file, or <see langword="null"/> when the run does not train it.</summary>
    public int? ClassOf(string segmentLabel)
    {
        for (var i = 0; i < Labels.Count; i++)
        {
            if (Labels[i].Aliases.Any(alias => string.Equals(alias, segmentLabel.Trim(), StringComparison.OrdinalIgnoreCase)))
            {
                return i + 1;
            }
        }

        return null;
    }
}

/// <summary>One label of a run.</summary>
/// <param name="Name">The run's name for it.</param>
/// <param name="Aliases">The segment labels of this site's files that mean it; compared without case and outer spaces.</param>
public sealed record LabelName(string Name, IReadOnlyList<string> Aliases);
