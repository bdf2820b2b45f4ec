namespace FedSeg.Federation.Rounds;

/// <summary>Intensities of the labelled voxels of a whole federation, HU: a frozen plan hands the same numbers to every site.</summary>
public sealed record ForegroundIntensity
{
    public required double Mean { get; init; }

    /// <summary>Population standard deviation, at least 0.</summary>
    public required double Deviation { get; init; }

    /// <summary>0.5th percentile.</summary>
    public required double LowerClip { get; init; }

    /// <summary>99.5th percentile, above <see cref="LowerClip"/>.</summary>
    public required double UpperClip { get; init; }

    /// <summary>What is wrong with the numbers, or <see langword="null"/>.</summary>
    public string? Problem()
    {
        if (!double.IsFinite(Mean) || !double.IsFinite(LowerClip) || !double.IsFinite(UpperClip)) return "its intensities must be finite";
        if (!(Deviation >= 0) || !double.IsFinite(Deviation)) return $"its standard deviation {Deviation} must be finite and at least 0";
        return LowerClip < UpperClip ? null : $"its lower percentile {LowerClip} must be below its upper, {UpperClip}";
    }
}
