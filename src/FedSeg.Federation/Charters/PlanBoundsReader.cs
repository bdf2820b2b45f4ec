using FedSeg.Federation.Architectures;
using FedSeg.Federation.Yaml;

namespace FedSeg.Federation.Charters;

/// <summary>Reads the bounds that a policy and a charter write alike.</summary>
public static class PlanBoundsReader
{
    public static PlanBounds Read(StrictYamlMap bounds) => new()
    {
        MaximumRounds = bounds.WholeNumber("maximumRounds", 1, 10_000),
        MaximumStepsPerRound = bounds.WholeNumber("maximumStepsPerRound", 1, 1_000_000),
        MaximumParameters = bounds.WholeNumber64("maximumParameters", 1, 1L << 40),
        Labels = bounds.Texts("labels", label => label.Length is > 0 and <= 64, "a label", 0, 255),
        Networks = bounds.Texts("networks", ArchitectureCatalog.Names.Contains, $"one of: {string.Join(", ", ArchitectureCatalog.Names)}", 0, 100),
        Fingerprints = bounds.Flag("fingerprints", fallback: false),
    };
}
