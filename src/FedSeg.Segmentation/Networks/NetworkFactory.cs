using FedSeg.Federation.Architectures;

namespace FedSeg.Segmentation.Networks;

/// <summary>Builds the networks of the allow-list, and nothing else.</summary>
public static class NetworkFactory
{
    /// <summary>
    /// A network whose parameters have the names, shapes and order of <see cref="ArchitectureCatalog.Manifest"/>, on the CPU and with
    /// weights of no meaning: load a model into it before use. The caller disposes it.
    /// </summary>
    /// <exception cref="ArgumentException">The spec is not on the allow-list or its numbers are out of range.</exception>
    public static UNet Create(ArchitectureSpec spec)
    {
        var problems = ArchitectureCatalog.Problems(spec);
        if (problems.Count > 0) throw new ArgumentException(string.Join("; ", problems), nameof(spec));
        CpuKernels.Check(spec);
        return new UNet(spec);
    }
}
