using System.Collections.Immutable;

namespace FedSeg.Federation.Planning;

/// <summary>Which network a plan is made for, and for how much memory.</summary>
public enum PlannerPresetName
{
    /// <summary>Plain U-Net for a GPU of 8 GB.</summary>
    Plain,

    /// <summary>Residual encoder, 8 GB (about 9 GB measured upstream).</summary>
    ResEncM,

    /// <summary>Residual encoder, 24 GB.</summary>
    ResEncL,

    /// <summary>Residual encoder, 40 GB.</summary>
    ResEncXL,

    /// <summary>Plain U-Net of a quarter of the width, for machines without a GPU: not one of nnU-Net's.</summary>
    Cpu,
}

/// <summary>
/// The numbers behind a preset. A memory reference is in voxels × channels of all feature maps that a network keeps for one sample, at the
/// reference batch of 2 in 3D and 12 in 2D, as measured by nnU-Net v2's authors on the GPU that the preset names.
/// </summary>
internal sealed record PlannerPreset
{
    public const int ReferenceBatch3D = 2, ReferenceBatch2D = 12;

    private static readonly ImmutableArray<int> ResidualBlocks = [1, 3, 4, 6, 6, 6, 6, 6, 6, 6];
    private static readonly ImmutableArray<int> PlainConvolutions = [2, 2, 2, 2, 2, 2, 2, 2, 2, 2];

    public required bool ResidualEncoder { get; init; }

    public required double MemoryReference3D { get; init; }

    public required double MemoryReference2D { get; init; }

    /// <summary>Largest share of all voxels of the data set that a batch may hold.</summary>
    public required double LargestBatchShare { get; init; }

    /// <summary>By how much the feature channels of nnU-Net's networks are divided.</summary>
    public int WidthDivisor { get; init; } = 1;

    /// <summary>Convolutions or residual blocks of each encoder stage.</summary>
    public ImmutableArray<int> EncoderBlocks => ResidualEncoder ? ResidualBlocks : PlainConvolutions;

    /// <summary>Convolutions of each decoder stage.</summary>
    public int DecoderConvolutions => ResidualEncoder ? 1 : 2;

    public static PlannerPreset Of(PlannerPresetName name) => name switch
    {
        PlannerPresetName.Plain => new()
        {
            ResidualEncoder = false,
            MemoryReference3D = 560e6,
            MemoryReference2D = 85e6,
            LargestBatchShare = 0.05,
        },
        PlannerPresetName.ResEncM => Residual(680e6, 135e6),
        PlannerPresetName.ResEncL => Residual(2100e6, 380e6),
        PlannerPresetName.ResEncXL => Residual(3600e6, 560e6),
        PlannerPresetName.Cpu => new()
        {
            ResidualEncoder = false,
            // Patches of some 64³ voxels, and 2D ones in the proportion of the plain preset.
            MemoryReference3D = 16e6,
            MemoryReference2D = 16e6 * 85 / 560,
            LargestBatchShare = 0.05,
            WidthDivisor = 4,
        },
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such preset."),
    };

    // Published without the 5 % cap: a batch may cover the data set once.
    private static PlannerPreset Residual(double reference3D, double reference2D) =>
        new() { ResidualEncoder = true, MemoryReference3D = reference3D, MemoryReference2D = reference2D, LargestBatchShare = 1 };
}
