using FedSeg.Federation.Architectures;
using FedSeg.Federation.Planning;

namespace FedSeg.Federation.Tests.Planning;

public sealed class ComputeEstimateTests
{
    private static readonly ArchitectureSpec Small = new() { Name = "unet3d", Classes = 2, BaseFeatures = 2, Levels = 2 };

    [Fact]
    public void OfForward_SmallUNet_IsTheHandWorkedCount()
    {
        // Kernels of 27. 64 voxels: 1→2, 2→2, behind the skip 4→2, 2→2, and the head 2→2 of kernel 1. 8 voxels: 2→4, 4→4, and up 4→2 of kernel 8.
        const int fine = 27 * (1 * 2 + 2 * 2 + 4 * 2 + 2 * 2) + 2 * 2, coarse = 27 * (2 * 4 + 4 * 4) + 8 * 4 * 2;

        Assert.Equal(2 * (64 * fine + 8 * coarse), ComputeEstimate.OfForward(Small, [4, 4, 4]));
    }

    [Fact]
    public void OfStep_Batch_IsThreeTimesTheForwardOfEachPatch() =>
        Assert.Equal(6 * ComputeEstimate.OfForward(Small, [4, 4, 4]), ComputeEstimate.OfStep(Small, [4, 4, 4], 2));

    [Theory]
    [InlineData(PlannerPresetName.Plain)]
    [InlineData(PlannerPresetName.ResEncM)]
    public void OfForward_PlannedNetwork_CountsEveryKernel(PlannerPresetName preset)
    {
        var planned = TrainingPlanner.Plan(DataSets.Hippocampus, preset).Main();
        // At the least every weight once, at the coarsest stage.
        Assert.True(ComputeEstimate.OfForward(planned.Architecture, planned.PatchVoxels) > 2 * ArchitectureCatalog.Manifest(planned.Architecture).ParameterCount);
    }
}
