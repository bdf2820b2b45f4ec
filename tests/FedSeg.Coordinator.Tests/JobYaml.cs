namespace FedSeg.Coordinator.Tests;

/// <summary>A small job file.</summary>
internal static class JobYaml
{
    public static string Of(params string[] sites) => $"""
        name: kidneys
        sites: [{string.Join(", ", sites)}]
        rounds: 1
        labels: [kidney, tumour]
        model:
          architecture: unet3d
          baseFeatures: 2
          levels: 2
        data:
          modality: MR
          spacingMm: [1, 1, 1]
          patchVoxels: [8, 8, 8]
        training:
          stepsPerRound: 3
        minimumCases: 5
        """;
}
