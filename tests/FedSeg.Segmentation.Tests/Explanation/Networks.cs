using FedSeg.Federation.Architectures;
using FedSeg.Segmentation.Explanation;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Uncertainty;
using FedSeg.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Explanation;

/// <summary>Small U-Nets of first weights, and a window of 16³ voxels for them.</summary>
internal static class Networks
{
    public static UNet Seeded(ulong seed)
    {
        using var folder = new TemporaryFolder();
        ModelInitializer.Write(folder["model"], ArchitectureCatalog.Manifest(Plans.Small), seed);
        var network = ModelWeights.Open(folder["model"], Plans.Small, CPU);
        network.eval();
        return network;
    }

    public static Tensor Window() => tensor(SyntheticCases.Ball(16, "patient", seed: 3).Prepared.Input.Voxels, [1, 1, 16, 16, 16]);

    /// <summary>The most frequent class of what the network finds.</summary>
    public static ExplainedRegion Region(UNet network, Tensor window)
    {
        using var withoutGradient = no_grad();
        var logits = network.forward(window);
        return Enumerable.Range(0, 3).Select(label => ExplainedRegion.Predicted(logits, label)).OfType<ExplainedRegion>().MaxBy(region => region.Region.sum().item<float>())!;
    }

    /// <summary>Rank correlation of two maps.</summary>
    public static double Likeness(float[] map, float[] other) =>
        RankCorrelation.Of([.. map.Select(value => (double)value)], [.. other.Select(value => (double)value)]);
}
