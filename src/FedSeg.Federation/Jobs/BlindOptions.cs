namespace FedSeg.Federation.Jobs;

/// <summary>What a job asks of blind rounds, in which the coordinator sees only the sum of all updates.</summary>
public sealed record BlindOptions
{
    /// <summary>Largest change of a single weight that is sent as it is; larger ones are clipped to it.</summary>
    public required double Range { get; init; }

    /// <summary>Training cases from which on a site counts no more.</summary>
    public required int MaximumCases { get; init; }

    /// <summary>How long each step of the exchange waits for a site, minutes; the first one waits as long as the round.</summary>
    public required double StepMinutes { get; init; }
}
