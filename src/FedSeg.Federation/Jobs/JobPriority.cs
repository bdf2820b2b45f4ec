namespace FedSeg.Federation.Jobs;

/// <summary>How much of a site's time a study gets where several want it.</summary>
public enum JobPriority
{
    /// <summary>Four times that of <see cref="Low"/>.</summary>
    Normal,

    /// <summary>Some, always: a study that got nothing while others go on would never end.</summary>
    Low,

    /// <summary>Four times that of <see cref="Normal"/>.</summary>
    High,
}
