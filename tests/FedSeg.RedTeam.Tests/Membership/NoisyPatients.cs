using FedSeg.RedTeam.Tests.Images;
using FedSeg.RedTeam.Tests.Sites;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.RedTeam.Tests.Membership;

/// <summary>
/// Patients whose masks are drawn with a shaky hand: what is to be learned by heart of each, and nothing else, tells on membership.
/// </summary>
internal static class NoisyPatients
{
    public const int Size = 16;
    private const double Shaky = 0.15;
    private const int Batch = 256;

    public static PreparedCase[] Make(int count, int first) => [.. Enumerable.Range(first, count).Select(patient =>
    {
        var slice = Slice.Of(Size, 50_000 + patient);
        var chance = new Random(patient);
        return ProductSite.Prepare(slice with { Mask = [.. slice.Mask
            .Select(voxel => chance.NextDouble() < Shaky ? (byte)(1 - voxel) : voxel)] }, $"patient-{patient}");
    })];

    /// <summary>Cross-entropy of each patient under a model.</summary>
    public static double[] Losses(UNet network, IReadOnlyList<PreparedCase> patients)
    {
        using var withoutGradient = no_grad();
        return [.. patients.Chunk(Batch).SelectMany(chunk =>
        {
            using var scope = NewDisposeScope();
            var images = cat([.. chunk.Select(patient => tensor(patient.Prepared.Input.Voxels.ToArray(), [1, 1, 1, Size, Size]))]);
            var labels = cat([.. chunk.Select(patient => tensor(patient.Labels.Labels.ToArray(), [1, 1, 1, Size, Size]))])
                .to(ScalarType.Int64);
            var likelihood = nn.functional.log_softmax(network.forward(images), 1).gather(1, labels).flatten(1).mean([1]);
            return likelihood.neg().data<float>().Select(value => (double)value).ToArray();
        })];
    }
}
