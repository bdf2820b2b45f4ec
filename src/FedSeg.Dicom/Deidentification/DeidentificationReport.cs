using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Deidentification;

/// <summary>
/// What was done, by count: attributes with their outcomes, files held back by reason. It holds tags and numbers only, never a value or a
/// file's name, so it may be shown to anyone.
/// </summary>
public sealed class DeidentificationReport
{
    private const string PrivateAttributes = "private";

    private readonly SortedDictionary<string, AttributeActions> _actions = new(StringComparer.Ordinal);
    private readonly SortedDictionary<QuarantineReason, int> _quarantined = [];

    /// <summary>Files written.</summary>
    public int Files { get; private set; }

    /// <summary>
    /// By tag, <c>(0010,0010)</c>; all private attributes together are <c>private</c>, curves <c>(50xx,eeee)</c>, overlays
    /// <c>(60xx,eeee)</c>.
    /// </summary>
    public IReadOnlyDictionary<string, AttributeActions> Actions => _actions;

    /// <summary>Files held back, by reason.</summary>
    public IReadOnlyDictionary<QuarantineReason, int> Quarantined => _quarantined;

    internal void Count(DeidentificationOutcome outcome)
    {
        if (outcome is QuarantinedFile { Reason: var reason })
        {
            _quarantined[reason] = _quarantined.GetValueOrDefault(reason) + 1;
        }
        else
        {
            Files++;
        }
    }

    internal void Count(DicomTag tag, AttributeOutcome outcome)
    {
        var key = tag.IsPrivate ? PrivateAttributes
            : RepeatingGroup.IsCurve(tag) ? $"(50xx,{tag.Element:X4})"
            : RepeatingGroup.IsOverlay(tag) ? $"(60xx,{tag.Element:X4})"
            : tag.ToString();
        if (!_actions.TryGetValue(key, out var actions))
        {
            _actions.Add(key, actions = new AttributeActions(tag.IsPrivate ? null : StandardDictionary.Find(tag)?.Keyword));
        }

        actions.Count(outcome);
    }
}

/// <summary>How often what was done to an attribute.</summary>
public sealed class AttributeActions
{
    private readonly SortedDictionary<AttributeOutcome, int> _counts = [];

    internal AttributeActions(string? keyword) => Keyword = keyword;

    /// <summary>The keyword of PS3.6; <see langword="null"/> for private attributes and repeating groups.</summary>
    public string? Keyword { get; }

    public IReadOnlyDictionary<AttributeOutcome, int> Counts => _counts;

    internal void Count(AttributeOutcome outcome) => _counts[outcome] = _counts.GetValueOrDefault(outcome) + 1;
}
