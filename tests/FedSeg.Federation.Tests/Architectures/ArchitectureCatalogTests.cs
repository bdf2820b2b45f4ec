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
