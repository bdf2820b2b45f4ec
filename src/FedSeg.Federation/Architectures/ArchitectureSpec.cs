namespace FedSeg.Federation.Architectures;

/// <summary>
/// A network by name and numbers, never by code: <see cref="ArchitectureCatalog"/> is the allow-list both sides build from.
/// </summary>
public sealed record ArchitectureSpec
{
    /// <summary>A name of the allow-list, such as <c>unet3d</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Image channels of the input; 1 for a single MR or CT series.</summary>
    public int InputChannels { get; init; } = 1;

    /// <summary>Output channels: background and one per label.</summary>
    public required int Classes { get; init; }

    /// <summary>Feature channels of the finest resolution; each coarser level has twice as many, at most 320.</summary>
    public required int BaseFeatures { get; init; }

    /// <summary>Number of resolutions; each step halves the size along every axis.</summary>
    public required int Levels { get; init; }

    /// <summary>Every patch axis must be a multiple of this.</summary>
    public int SizeDivisor => 1 << (Levels - 1);
}
