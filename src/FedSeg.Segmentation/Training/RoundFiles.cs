namespace FedSeg.Segmentation.Training;

/// <summary>Where a round's files lie.</summary>
public sealed record RoundFiles
{
    /// <summary>The base model.</summary>
    public required string Model { get; init; }

    /// <summary>Where the change of the weights goes; not written for an evaluation or a failed training.</summary>
    public required string Update { get; init; }

    /// <summary>SCAFFOLD's control variate of the federation; <see langword="null"/> while it is zero.</summary>
    public string? Control { get; init; }

    /// <summary>
    /// With error feedback what earlier rounds held back of their changes; <see langword="null"/> where there is nothing.
    /// </summary>
    public string? Residual { get; init; }

    /// <summary>The run's folder for what stays at the site; without it only recipes that keep nothing can be trained, and no checkpoint is written.</summary>
    public string? State { get; init; }

    /// <summary>Where the site's own model goes when the run closes; <see langword="null"/> for nowhere.</summary>
    public string? PersonalModel { get; init; }

    /// <summary>Steps between two checkpoints.</summary>
    public int CheckpointEverySteps { get; init; } = 50;
}
