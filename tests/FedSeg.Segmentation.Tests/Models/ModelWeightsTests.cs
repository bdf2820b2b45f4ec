using FedSeg.Testing;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Models;

public sealed class ModelWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TensorManifest _manifest = ArchitectureCatalog.Manifest(Plans.Small);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_WhatWasLoaded_GivesTheSamePayloadAndTheMetadata()
    {
        ModelInitializer.Write(_folder["a"], _manifest, seed: 3);
        using var network = ModelWeights.Open(_folder["a"], Plans.Small, CPU);
        var metadata = new ModelMetadata { Architecture = Plans.Small, Labels = ["one", "two"], Preprocessing = SyntheticCases.Preprocessing(), Round = 4 };
        ModelWeights.Write(_folder["b"], _manifest, network, metadata);

        using var before = SafetensorsFile.Open(_folder["a"]);
        using var after = SafetensorsFile.Open(_folder["b"]);
        Assert.All(_manifest.Tensors, tensor => Assert.Equal(before.ReadAll(tensor.Name), after.ReadAll(tensor.Name)));
        Assert.Equal(4, ModelMetadata.Parse(after.Metadata).Round);
    }

    [Fact]
    public void WriteUpdate_ChangedWeight_IsTrainedMinusBase()
    {
        ModelInitializer.Write(_folder["base"], _manifest, seed: 3);
        using var network = ModelWeights.Open(_folder["base"], Plans.Small, CPU);
        using (no_grad()) network.named_parameters().Single(entry => entry.name == "head.bias").parameter.add_(0.5);
        ModelWeights.WriteUpdate(_folder["delta"], Plans.Round().UpdateManifest(), network, _folder["base"]);

        using var delta = SafetensorsFile.Open(_folder["delta"]);
        Assert.Equal([0.5f, 0.5f, 0.5f], delta.ReadAll("head.bias"));
        Assert.All(delta.ReadAll("head.weight"), value => Assert.Equal(0, value));
        Assert.Empty(delta.Metadata);
    }

    [Fact]
    public void Load_ModelOfAnotherArchitecture_IsRefusedWithTheFirstDifference()
    {
        ModelInitializer.Write(_folder["model"], ArchitectureCatalog.Manifest(Plans.Small with { BaseFeatures = 8 }), seed: 3);
        var error = Assert.Throws<SafetensorsException>(() => ModelWeights.Open(_folder["model"], Plans.Small, CPU));
        Assert.Contains("tensor 0 is 'encoder.0.0.conv.weight[8, 1, 3, 3, 3]'", error.Message);
    }

    [Fact]
    public void Load_ValueNotFinite_IsRefused()
    {
        using (var writer = SafetensorsWriter.Create(_folder["model"], _manifest))
        {
            writer.Write(Enumerable.Repeat(float.NaN, (int)_manifest.ParameterCount).ToArray());
            writer.Complete();
        }

        var error = Assert.Throws<SafetensorsException>(() => ModelWeights.Open(_folder["model"], Plans.Small, CPU));
        Assert.Contains("not finite at element 0", error.Message);
    }

    [Fact]
    public void AreFinite_OneInfiniteWeight_IsFalse()
    {
        // A created network's weights have no meaning, not even finite ones, and a bare number given to torch can be freed under it (LastingScalars): both are written from arrays.
        using var network = NetworkFactory.Create(Plans.Small);
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        foreach (var parameter in network.parameters()) parameter.copy_(zeros_like(parameter));
        Assert.True(ModelWeights.AreFinite(network));

        var last = network.parameters().Last();
        last.copy_(tensor(Enumerable.Repeat(float.PositiveInfinity, (int)last.numel()).ToArray()).view_as(last));
        Assert.False(ModelWeights.AreFinite(network));
    }
}
