using FedSeg.Testing;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Tests.Architectures;

public sealed class ArchitectureCatalogTests
{
    private static readonly ArchitectureSpec TwoLevels = new() { Name = "unet3d", Classes = 3, BaseFeatures = 2, Levels = 2 };

    [Fact]
    public void Manifest_TwoLevels_HasTheHandCountedWeights()
    {
        // encoder 0: 1·2·27+2 + 2·2 + 2·2·27+2 + 2·2 = 56+4+110+4 = 174
        // encoder 1: 2·4·27+4 + 2·4 + 4·4·27+4 + 2·4 = 220+8+436+8 = 672
        // decoder 0: up 4·2·8+2 = 66; 4·2·27+2 + 4 + 2·2·27+2 + 4 = 218+4+110+4 = 336
        // head: 2·3+3 = 9
        Assert.Equal(174 + 672 + 66 + 336 + 9, ArchitectureCatalog.Manifest(TwoLevels).ParameterCount);
    }

    private static ArchitectureSpec Planned(string name) => new()
    {
        Name = name,
        Classes = 3,
        Topology = new NetworkTopology
        {
            Stages =
            [
                new() { Stride = [1, 1, 1], Kernel = [1, 3, 3], Features = 4, Blocks = 1 },
                new() { Stride = [1, 2, 2], Kernel = [3, 3, 3], Features = 6, Blocks = 2 },
                new() { Stride = [2, 2, 2], Kernel = [3, 3, 3], Features = 6, Blocks = 1 },
                new() { Stride = [2, 2, 2], Kernel = [3, 3, 3], Features = 8, Blocks = 1 },
            ],
            DecoderConvolutions = 1,
            DeepSupervision = true,
        },
    };

    [Fact]
    public void Manifest_PlannedUNet_HasTheHandCountedWeights()
    {
        // A convolution of i to o channels with kernel volume k has i·o·k + o weights, its norm 2·o.
        const int encoder0 = 1 * 4 * 9 + 4 + 8;
        const int encoder1 = 4 * 6 * 27 + 6 + 12 + (6 * 6 * 27 + 6 + 12);
        const int encoder2 = 6 * 6 * 27 + 6 + 12;
        const int encoder3 = 6 * 8 * 27 + 8 + 16;
        const int decoder2 = 8 * 6 * 8 + 6 + (12 * 6 * 27 + 6 + 12);
        const int decoder1 = 6 * 6 * 8 + 6 + (12 * 6 * 27 + 6 + 12);
        const int decoder0 = 6 * 4 * 4 + 4 + (8 * 4 * 9 + 4 + 8);
        // The finest head and that of level 1; level 2 would weigh 0 in the loss.
        const int heads = 4 * 3 + 3 + (6 * 3 + 3);
        Assert.Equal(encoder0 + encoder1 + encoder2 + encoder3 + decoder2 + decoder1 + decoder0 + heads, ArchitectureCatalog.Manifest(Planned("unet")).ParameterCount);
    }

    [Fact]
    public void Manifest_ResidualEncoder_HasTheHandCountedWeights()
    {
        const int stem = 1 * 4 * 9 + 4 + 8;
        const int encoder0 = 2 * (4 * 4 * 9 + 4 + 8);
        // The first block of stage 1 projects 4 to 6 channels, without bias; stage 2 strides with equal channels and needs no projection.
        const int encoder1 = 4 * 6 * 27 + 6 + 12 + 3 * (6 * 6 * 27 + 6 + 12) + (4 * 6 + 12);
        const int encoder2 = 2 * (6 * 6 * 27 + 6 + 12);
        const int encoder3 = 6 * 8 * 27 + 8 + 16 + (8 * 8 * 27 + 8 + 16) + (6 * 8 + 16);
        const int decoder = 8 * 6 * 8 + 6 + (12 * 6 * 27 + 6 + 12) + 6 * 6 * 8 + 6 + (12 * 6 * 27 + 6 + 12) + 6 * 4 * 4 + 4 + (8 * 4 * 9 + 4 + 8);
        const int heads = 4 * 3 + 3 + (6 * 3 + 3);
        Assert.Equal(stem + encoder0 + encoder1 + encoder2 + encoder3 + decoder + heads, ArchitectureCatalog.Manifest(Planned("resenc-unet")).ParameterCount);
    }

    [Fact]
    public void Manifest_UniformUNet_IsThePlannedOneOfTheSameStages()
    {
        var planned = TwoLevels with { Name = "unet", BaseFeatures = 0, Levels = 0, Topology = ArchitectureCatalog.Topology(TwoLevels) };

        Assert.Equal(ArchitectureCatalog.Manifest(TwoLevels).Tensors.AsEnumerable(), ArchitectureCatalog.Manifest(planned).Tensors);
    }

    public static TheoryData<string, Func<ArchitectureSpec, ArchitectureSpec>> Refused => new()
    {
        { "needs its topology", spec => spec with { Topology = null } },
        { "baseFeatures and levels", spec => spec with { Levels = 3 } },
        { "topology is not one of unet3d's", spec => spec with { Name = "unet3d", BaseFeatures = 4, Levels = 3 } },
        { "stages is 1", spec => spec with { Topology = spec.Topology! with { Stages = [spec.Topology.Stages[0]] } } },
        { "stage 0 is missing", spec => spec with { Topology = spec.Topology! with { Stages = [null!, spec.Topology.Stages[1]] } } },
        { "stride of stage 0", spec => WithFirstStage(spec, stage => stage with { Stride = [1, 2, 2] }) },
        { "stride of stage 0", spec => WithFirstStage(spec, stage => stage with { Stride = [1, 1] }) },
        { "kernel of stage 0", spec => WithFirstStage(spec, stage => stage with { Kernel = [5, 5, 5] }) },
        { "features of stage 0 is 513", spec => WithFirstStage(spec, stage => stage with { Features = 513 }) },
        { "blocks of stage 0 is 0", spec => WithFirstStage(spec, stage => stage with { Blocks = 0 }) },
        { "decoderConvolutions is 3", spec => spec with { Topology = spec.Topology! with { DecoderConvolutions = 3 } } },
        { "more than 268435456 weights", spec => spec with { Topology = spec.Topology! with { Stages = [.. Enumerable.Repeat(spec.Topology.Stages[0] with { Kernel = [3, 3, 3], Features = 512, Blocks = 8 }, 10)] } } },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Problems_TopologyOutOfBounds_SaysWhat(string problem, Func<ArchitectureSpec, ArchitectureSpec> change) =>
        Assert.Contains(ArchitectureCatalog.Problems(change(Planned("unet"))), line => line.Contains(problem, StringComparison.Ordinal));

    private static ArchitectureSpec WithFirstStage(ArchitectureSpec spec, Func<NetworkStage, NetworkStage> change) =>
        spec with { Topology = spec.Topology! with { Stages = spec.Topology.Stages.SetItem(0, change(spec.Topology.Stages[0])) } };

    [Fact]
    public void Initializer_ResidualBlock_StartsAsItsSkip()
    {
        using var folder = new TemporaryFolder();
        ModelInitializer.Write(folder["model"], ArchitectureCatalog.Manifest(Planned("resenc-unet")), seed: 1);
        using var file = SafetensorsFile.Open(folder["model"]);

        Assert.All(file.ReadAll("encoder.1.0.second.norm.weight"), weight => Assert.Equal(0f, weight));
        Assert.All(file.ReadAll("encoder.1.0.first.norm.weight"), weight => Assert.Equal(1f, weight));
        Assert.All(file.ReadAll("encoder.1.0.skip.norm.weight"), weight => Assert.Equal(1f, weight));
    }

    [Fact]
    public void Problems_EverythingWrong_AreAllListed()
    {
        var spec = new ArchitectureSpec { Name = "resnet", Classes = 1, BaseFeatures = 1000, Levels = 9, InputChannels = 0 };

        Assert.Equal(5, ArchitectureCatalog.Problems(spec).Count);
    }

    [Fact]
    public void Initializer_SameSeed_GivesTheSameBytesEverywhere()
    {
        using var folder = new TemporaryFolder();
        ModelInitializer.Write(folder["a"], ArchitectureCatalog.Manifest(TwoLevels), seed: 5);
        ModelInitializer.Write(folder["b"], ArchitectureCatalog.Manifest(TwoLevels), seed: 6);

        // The digest is pinned: another machine or runtime that gives another model breaks the promise.
        Assert.StartsWith("ed1122bd583377654405025dfbfa33bf86098899e2c58bdc37", Sha256Digest.Of(File.ReadAllBytes(folder["a"])).ToString());
        Assert.NotEqual(File.ReadAllBytes(folder["a"]), File.ReadAllBytes(folder["b"]));
    }

    [Fact]
    public void Initializer_Weights_FollowHeUniform()
    {
        using var folder = new TemporaryFolder();
        var spec = TwoLevels with { BaseFeatures = 32 };
        ModelInitializer.Write(folder["model"], ArchitectureCatalog.Manifest(spec), seed: 1);
        using var file = SafetensorsFile.Open(folder["model"]);

        var weights = file.ReadAll("encoder.1.1.conv.weight");
        var bound = Math.Sqrt(6 / (1.0001 * 64 * 27));
        Assert.All(weights, weight => Assert.InRange(weight, -bound, bound));
        // Variance of a uniform draw is bound²/3; 110 592 draws put the estimate within 2 %.
        Assert.InRange(weights.Select(weight => (double)weight * weight).Average(), bound * bound / 3 * 0.98, bound * bound / 3 * 1.02);
        Assert.All(file.ReadAll("encoder.0.0.norm.weight"), weight => Assert.Equal(1f, weight));
        Assert.All(file.ReadAll("encoder.0.0.conv.bias"), weight => Assert.Equal(0f, weight));
    }
}
