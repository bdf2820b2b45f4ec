using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Planning;

/// <summary>Golden values: the published plans of nnU-Net v2 for three data sets of the Medical Segmentation Decathlon.</summary>
public sealed class TrainingPlannerTests
{
    [Fact]
    public void Plan_Hippocampus_IsThePublishedPlan()
    {
        var plan = TrainingPlanner.Plan(DataSets.Hippocampus, PlannerPresetName.Plain);

        var main = plan.Main();
        Assert.Equal("3d_fullres", main.Name);
        Assert.Equal([1, 1, 1], main.SpacingMm);
        Assert.Equal([40, 56, 40], main.PatchVoxels);
        Assert.Equal([[1, 1, 1], [2, 2, 2], [2, 2, 2], [2, 2, 2]], Strides(main));
        Assert.Equal([[3, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]], Kernels(main));
        Assert.Equal([32, 64, 128, 256], Features(main));
        Assert.Equal(19_174_400, main.MemoryEstimate);
        Assert.Equal(9, main.BatchSize); // 58 fit the memory; 5 % of the data are 9 patches
        Assert.False(main.BatchDice);
        Assert.Equal(["3d_fullres", "2d"], plan.Configurations.Select(configuration => configuration.Name));
    }

    [Fact]
    public void Plan_BrainTumour_IsThePublishedPlan()
    {
        var main = TrainingPlanner.Plan(DataSets.BrainTumour, PlannerPresetName.Plain).Main();

        Assert.Equal([128, 128, 128], main.PatchVoxels);
        Assert.Equal(6, Strides(main).Count);
        Assert.Equal([32, 64, 128, 256, 320, 320], Features(main));
        Assert.Equal(454_893_568, main.MemoryEstimate);
        Assert.Equal(2, main.BatchSize);
    }

    [Fact]
    public void Plan_Spleen_IsThePublishedPlan()
    {
        var main = TrainingPlanner.Plan(DataSets.Spleen, PlannerPresetName.Plain).Main();

        Assert.Equal([1.6, 0.7929, 0.7929], main.SpacingMm);
        Assert.Equal([64, 192, 160], main.PatchVoxels);
        Assert.Equal([[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2]], Strides(main));
        Assert.Equal([[1, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]], Kernels(main));
        Assert.Equal([32, 64, 128, 256, 320, 320], Features(main));
        Assert.Equal(526_556_160, main.MemoryEstimate);
        Assert.Equal(2, main.BatchSize);
        Assert.True(main.BatchDice); // because there is a low-resolution network
    }

    [Fact]
    public void Plan_SpleenIn2D_IsThePublishedPlan()
    {
        var plane = Configuration("2d", TrainingPlanner.Plan(DataSets.Spleen, PlannerPresetName.Plain));

        Assert.Equal([1, 512, 512], plane.PatchVoxels);
        Assert.Equal(8, Strides(plane).Count);
        Assert.All(Strides(plane).Skip(1), stride => Assert.Equal([1, 2, 2], stride));
        Assert.All(Kernels(plane), kernel => Assert.Equal([1, 3, 3], kernel));
        Assert.Equal([32, 64, 128, 256, 512, 512, 512, 512], Features(plane));
        Assert.Equal(82_624_512, plane.MemoryEstimate);
        Assert.Equal(12, plane.BatchSize);
        Assert.True(plane.BatchDice);
    }

    [Fact]
    public void Plan_SpleenAtLowResolution_ShowsAQuarterOfTheImage()
    {
        var plan = TrainingPlanner.Plan(DataSets.Spleen, PlannerPresetName.Plain);
        var (full, low) = (plan.Main(), Configuration("3d_lowres", plan));

        // The in-plane axes, twice as fine as the slices, grow first: the ratio 2.018 falls within 2 in one step, then all three grow alike.
        var steps = Math.Log(low.SpacingMm[0] / full.SpacingMm[0]) / Math.Log(1.03);
        Assert.Equal(Math.Round(steps), steps, 1e-9);
        Assert.Equal(full.SpacingMm[1] * Math.Pow(1.03, steps + 1), low.SpacingMm[1], 1e-9);
        Assert.False(low.BatchDice);
        var share = Product(low.PatchVoxels) / Product(low.SpacingMm.Select((mm, axis) => full.SpacingMm[axis] / mm * full.MedianShape[axis]));
        Assert.InRange(share, 0.25, 0.35);
    }

    [Fact]
    public void Plan_ThickAndFewSlices_TakesTheTenthPercentileOfTheirSpacing()
    {
        // One case in five has slices of 4 mm, the others of 5; 20 slices of 256 × 256.
        var fine = DataSets.Of([4, 1, 1], [20, 256, 256], cases: 20, classes: 2);
        var data = fine with { Cases = 100, SpacingsMm = [.. fine.SpacingsMm, .. Enumerable.Repeat<ImmutableArray<double>>([5, 1, 1], 80)], Shapes = [.. Enumerable.Repeat<ImmutableArray<double>>([20, 256, 256], 100)] };

        var main = TrainingPlanner.Plan(data, PlannerPresetName.Plain).Main();

        Assert.Equal([4, 1, 1], main.SpacingMm);
        Assert.Equal(25, main.MedianShape[0]); // 20 · 5 / 4
        Assert.Equal([1, 3, 3], Kernels(main)[0]);
        Assert.Equal([1, 2, 2], Strides(main)[1]);
    }

    [Fact]
    public void Plan_SlicesAcrossX_IsThatOfSlicesAcrossZ_Turned()
    {
        var turned = TrainingPlanner.Plan(DataSets.Of([0.7929, 0.7929, 1.6], [512, 512, 187], cases: 41, classes: 2), PlannerPresetName.Plain);

        Assert.Equal(2, turned.SliceAxis);
        Assert.Equal([192, 160, 64], turned.Main().PatchVoxels);
        Assert.Equal([2, 2, 1], Strides(turned.Main())[1]);
        Assert.Equal([512, 512, 1], Configuration("2d", turned).PatchVoxels);
    }

    [Fact]
    public void Plan_SingleSlices_HasA2DNetworkOnly()
    {
        var plan = TrainingPlanner.Plan(DataSets.Of([10, 0.5, 0.5], [1, 256, 256], cases: 30, classes: 2), PlannerPresetName.Plain);

        Assert.Equal("2d", Assert.Single(plan.Configurations).Name);
    }

    [Fact]
    public void Plan_ResEncM_ReplacesTheEncoderAndLiftsTheCap()
    {
        var main = TrainingPlanner.Plan(DataSets.Hippocampus, PlannerPresetName.ResEncM).Main();

        Assert.Equal("resenc-unet", main.Architecture.Name);
        Assert.Equal([1, 3, 4, 6], main.Architecture.Topology!.Stages.Select(stage => stage.Blocks));
        Assert.Equal(1, main.Architecture.Topology.DecoderConvolutions);
        // Voxels a stage 89600, 11200, 1400, 175. Stem 32·89600; blocks 2·32·89600; (6+1)·64·11200; (8+1)·128·1400; (12+1)·256·175.
        // Decoder, transposed and one convolution: 2·(128·1400 + 64·11200 + 32·89600). Head 3·89600.
        const long expected = 2_867_200 + 5_734_400 + 5_017_600 + 1_612_800 + 582_400 + 2 * (179_200 + 716_800 + 2_867_200) + 268_800;
        Assert.Equal(expected, main.MemoryEstimate);
        Assert.Equal((int)Math.Round(680e6 / expected * 2), main.BatchSize); // 58, under 183 patches that cover all data once
    }

    [Theory]
    [InlineData(PlannerPresetName.Plain, 560e6)]
    [InlineData(PlannerPresetName.ResEncM, 680e6)]
    [InlineData(PlannerPresetName.ResEncL, 2100e6)]
    [InlineData(PlannerPresetName.ResEncXL, 3600e6)]
    [InlineData(PlannerPresetName.Cpu, 16e6)]
    public void Plan_LargerPreset_FillsItsMemoryAndNoMore(PlannerPresetName preset, double reference)
    {
        var main = TrainingPlanner.Plan(DataSets.Spleen, preset).Main();

        Assert.InRange(main.MemoryEstimate, 0.7 * reference, reference);
        Assert.Empty(ArchitectureCatalog.Problems(main.Architecture));
        Assert.Empty(ArchitectureCatalog.PatchProblems(main.Architecture, main.PatchVoxels));
    }

    [Fact]
    public void Plan_Cpu_IsAQuarterAsWide()
    {
        var main = TrainingPlanner.Plan(DataSets.BrainTumour, PlannerPresetName.Cpu).Main();

        Assert.Equal([8, 16, 32, 64], Features(main).Take(4));
        Assert.All(Features(main), features => Assert.InRange(features, 8, 80));
        Assert.Equal(2, main.BatchSize);
    }

    [Fact]
    public void Plan_TinyImages_AreRefusedWithTheirSize()
    {
        var error = Assert.Throws<PlanningException>(() => TrainingPlanner.Plan(DataSets.Of([1, 1, 1], [6, 6, 6], cases: 10, classes: 2), PlannerPresetName.Plain));

        Assert.Contains("6 × 6 × 6", error.Message);
    }

    [Theory]
    [InlineData("MR", 1, CropRule.Nonzero)]
    [InlineData("MR", 0.75, CropRule.Nonzero)]
    [InlineData("MR", 0.749, CropRule.NonzeroMasked)]
    [InlineData("CT", 0.3, CropRule.Nonzero)]
    public void Plan_MedianShareLeftByCropping_DecidesWhetherTheMaskCounts(string modality, double shareKept, CropRule expected)
    {
        var data = DataSets.Of([1, 1, 1], [36, 50, 35], cases: 260, classes: 3, modality) with { ShareKept = shareKept };

        var plan = TrainingPlanner.Plan(data, PlannerPresetName.Plain);

        Assert.Equal(expected, plan.Crop);
        Assert.Equal(expected, plan.Main().Preprocessing(plan).Crop);
    }

    [Fact]
    public void Bytes_RoundTrip_AreIdenticalAndNamedByTheirHash()
    {
        var plan = TrainingPlanner.Plan(DataSets.Spleen, PlannerPresetName.Plain);

        Assert.Equal(plan.ToBytes(), TrainingPlan.FromBytes(plan.ToBytes()).ToBytes());
        Assert.Equal(plan.Digest(), TrainingPlanner.Plan(DataSets.Spleen, PlannerPresetName.Plain).Digest());
        Assert.NotEqual(plan.Digest(), (plan with { Cases = 42 }).Digest());
        Assert.Throws<JsonException>(() => TrainingPlan.FromBytes("{\"preset\":\"plain\",\"code\":1}"u8));
    }

    private static PlannedConfiguration Configuration(string name, TrainingPlan plan) => plan.Configurations.Single(configuration => configuration.Name == name);

    private static List<ImmutableArray<int>> Strides(PlannedConfiguration configuration) => [.. configuration.Architecture.Topology!.Stages.Select(stage => stage.Stride)];

    private static List<ImmutableArray<int>> Kernels(PlannedConfiguration configuration) => [.. configuration.Architecture.Topology!.Stages.Select(stage => stage.Kernel)];

    private static IEnumerable<int> Features(PlannedConfiguration configuration) => configuration.Architecture.Topology!.Stages.Select(stage => stage.Features);

    private static double Product(IEnumerable<int> extents) => Product(extents.Select(extent => (double)extent));

    private static double Product(IEnumerable<double> extents) => extents.Aggregate(1.0, (product, extent) => product * extent);
}
