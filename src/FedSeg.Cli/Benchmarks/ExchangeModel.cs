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
            from spec in Uniform().Concat(Planned())
            where ArchitectureCatalog.Problems(spec).Count == 0
            let size = SafetensorsWriter.FileLength(ArchitectureCatalog.Manifest(spec)) / 1e6
            orderby Math.Abs(size - megabytes)
            select (Spec: spec, Megabytes: size);
        var nearest = candidates.First();
        return Math.Abs(nearest.Megabytes - megabytes) <= Tolerance * megabytes
            ? nearest.Spec
            : throw new BadInputException($"--megabytes is {megabytes}; the nearest model that may be built has {nearest.Megabytes:0.##} MB.");
    }

    /// <summary>The network as a job file names it, one flow mapping.</summary>
    public static string Yaml(ArchitectureSpec spec) => spec.Topology is not { Stages: var stages }
        ? $"{{ architecture: {spec.Name}, baseFeatures: {spec.BaseFeatures}, levels: {spec.Levels} }}"
        : $$"""
            { architecture: {{spec.Name}}, strides: [{{Joined(stages, stage => string.Join('x', stage.Stride))}}], kernels: [{{Joined(stages, stage => string.Join('x', stage.Kernel))}}], features: [{{Joined(stages, stage => $"{stage.Features}")}}], blocks: [{{Joined(stages, stage => $"{stage.Blocks}")}}], deepSupervision: false }
            """;

    private static string Joined(IEnumerable<NetworkStage> stages, Func<NetworkStage, string> part) => string.Join(", ", stages.Select(part));

    private static IEnumerable<ArchitectureSpec> Uniform() =>
        from levels in Enumerable.Range(2, 5)
        from features in Enumerable.Range(2, 63)
        select new ArchitectureSpec { Name = ArchitectureCatalog.UniformUNet, InputChannels = 1, Classes = 2, BaseFeatures = features, Levels = levels };

    /// <summary>Wide and deep ones, for sizes beyond what the two numbers of the uniform network reach.</summary>
    private static IEnumerable<ArchitectureSpec> Planned() =>
        from count in Enumerable.Range(4, 4)
        from features in Enumerable.Range(8, 9).Select(step => 32 * step)
        from blocks in Enumerable.Range(1, 8)
        select new ArchitectureSpec
        {
            Name = ArchitectureCatalog.PlannedUNet,
            InputChannels = 1,
            Classes = 2,
            Topology = new NetworkTopology
            {
                Stages = [.. Enumerable.Range(0, count).Select(stage => new NetworkStage
                {
                    Stride = stage == 0 ? [1, 1, 1] : [2, 2, 2],
                    Kernel = [3, 3, 3],
                    Features = features,
                    Blocks = blocks,
                })],
                DecoderConvolutions = 2,
                DeepSupervision = false,
            },
        };
}
