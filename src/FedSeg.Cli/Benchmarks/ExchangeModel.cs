using FedSeg.Cli.Programs;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;

namespace FedSeg.Cli.Benchmarks;

/// <summary>Finds, among the networks of the allow-list, the one whose model file is nearest to a size.</summary>
internal static class ExchangeModel
{
    private const double Tolerance = 0.1;

    /// <param name="megabytes">Size of the model file, 10^6 bytes.</param>
    /// <exception cref="BadInputException">No allowed network comes within a tenth of the size.</exception>
    public static ArchitectureSpec Nearest(double megabytes)
    {
        var candidates =
            from levels in Enumerable.Range(2, 5)
            from features in Enumerable.Range(2, 63)
            let spec = new ArchitectureSpec { Name = "unet3d", InputChannels = 1, Classes = 2, BaseFeatures = features, Levels = levels }
            let size = SafetensorsWriter.FileLength(ArchitectureCatalog.Manifest(spec)) / 1e6
            orderby Math.Abs(size - megabytes)
            select (Spec: spec, Megabytes: size);
        var nearest = candidates.First();
        return Math.Abs(nearest.Megabytes - megabytes) <= Tolerance * megabytes
            ? nearest.Spec
            : throw new BadInputException($"--megabytes is {megabytes}; the nearest model that may be built has {nearest.Megabytes:0.##} MB.");
    }
}
