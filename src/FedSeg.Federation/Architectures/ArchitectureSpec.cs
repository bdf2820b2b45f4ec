using System.Text.Json.Serialization;

namespace FedSeg.Federation.Architectures;

/// <summary>
/// A network by name and numbers, never by code: <see cref="ArchitectureCatalog"/> is the allow-list both sides build from. Numbers that a
/// name does not use are left at their defaults and are not written, so that a spec has one form and one hash.
/// </summary>
public sealed record ArchitectureSpec
{
    private const string Unplanned = "planned";

    /// <summary>A name of the allow-list, such as <c>unet3d</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Image channels of the input; 1 for a single MR or CT series.</summary>
    public int InputChannels { get; init; } = 1;

    /// <summary>Output channels: background and one per label.</summary>
    public required int Classes { get; init; }

    /// <summary>Of <c>unet3d</c>: feature channels of the finest resolution; each coarser level has twice as many, at most 320.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int BaseFeatures { get; init; }

    /// <summary>Of <c>unet3d</c>: number of resolutions; each step halves the size along every axis.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Levels { get; init; }

    /// <summary>Of <c>unet</c> and <c>resenc-unet</c>: every stage, as the planner decided.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NetworkTopology? Topology { get; init; }

    /// <summary>Whether the network is still to be planned. Its name is on no allow-list, so nobody can build it.</summary>
    [JsonIgnore]
    public bool IsToBePlanned => Name == Unplanned;

    /// <summary>What stands for a network until the sites' fingerprints tell which one it is.</summary>
    public static ArchitectureSpec ToBePlanned(int classes) => new() { Name = Unplanned, Classes = classes };
}
