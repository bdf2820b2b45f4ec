namespace FedSeg.Dicom.Deidentification;

/// <summary>A row of PS3.15 Table E.1-1.</summary>
/// <param name="Basic">The alternatives of the basic profile, the one that takes most first: X/Z/D is remove, empty, dummy.</param>
/// <param name="Options">The options that change the basic action for this attribute, with their action.</param>
internal sealed record ConfidentialityRow(string Attribute, IReadOnlyList<ProfileAction> Basic,
    IReadOnlyDictionary<ProfileOption, ProfileAction> Options)
{
    /// <summary>
    /// The basic action that keeps an object valid in which the attribute has this type, and takes most beside that: type 1 needs a value,
    /// type 2 the element, type 3 nothing. References to images stay, with their new UIDs, whatever their type: a segmentation without its
    /// source is of no use.
    /// </summary>
    public ProfileAction BasicFor(AttributeType type)
    {
        ReadOnlySpan<ProfileAction> wish = type switch
        {
            AttributeType.Required => [ProfileAction.ReplaceUid, ProfileAction.Dummy, ProfileAction.Empty, ProfileAction.Remove],
            AttributeType.MayBeEmpty => [ProfileAction.ReplaceUid, ProfileAction.Empty, ProfileAction.Dummy, ProfileAction.Remove],
            _ => [ProfileAction.ReplaceUid, ProfileAction.Remove, ProfileAction.Empty, ProfileAction.Dummy],
        };
        foreach (var action in wish)
        {
            if (Basic.Contains(action))
            {
                return action;
            }
        }

        throw new InvalidOperationException($"{Attribute} has no basic action.");
    }
}
