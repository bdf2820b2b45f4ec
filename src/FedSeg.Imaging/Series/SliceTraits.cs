namespace FedSeg.Imaging.Series;

/// <summary>
/// How a slice was acquired, as far as it tells apart the stacks that one series may hold. Each is <see langword="null"/> where the header
/// does not say; texts are compared as they stand.
/// </summary>
public sealed record SliceTraits
{
    public string? ImageType { get; init; }

    public string? EchoNumber { get; init; }

    /// <summary>ms</summary>
    public string? EchoTime { get; init; }

    /// <summary>s/mm²</summary>
    public string? DiffusionBValue { get; init; }

    public string? DiffusionDirection { get; init; }

    public string? TemporalPosition { get; init; }

    public string? ConvolutionKernel { get; init; }

    public string? StackId { get; init; }

    public string? AcquisitionNumber { get; init; }

    /// <summary>ms</summary>
    public string? TriggerTime { get; init; }

    /// <summary>Slices that differ in one of these never belong to one volume.</summary>
    internal static IReadOnlyList<(string Name, Func<SliceTraits, string?> Of)> Firm { get; } =
    [
        ("image type", traits => traits.ImageType),
        ("echo", traits => traits.EchoNumber),
        ("echo time", traits => traits.EchoTime),
        ("b-value", traits => traits.DiffusionBValue),
        ("diffusion direction", traits => traits.DiffusionDirection),
        ("temporal position", traits => traits.TemporalPosition),
        ("kernel", traits => traits.ConvolutionKernel),
        ("stack", traits => traits.StackId),
    ];

    /// <summary>
    /// Slices that differ in one of these may still be one volume (a helical scan in two acquisitions, a trigger time per slice): they are
    /// told apart by it only where they make no volume together.
    /// </summary>
    internal static IReadOnlyList<(string Name, Func<SliceTraits, string?> Of)> Loose { get; } =
    [
        ("acquisition", traits => traits.AcquisitionNumber),
        ("trigger time", traits => traits.TriggerTime),
    ];
}
