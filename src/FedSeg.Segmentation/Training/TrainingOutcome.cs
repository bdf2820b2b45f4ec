namespace FedSeg.Segmentation.Training;

/// <summary>How a stretch of training ended.</summary>
public abstract record TrainingOutcome
{
    private TrainingOutcome() { }

    /// <summary>All steps were made and every weight is finite.</summary>
    /// <param name="Steps">Steps made.</param>
    /// <param name="MeanLoss">Mean over the steps.</param>
    /// <param name="Time">How long it took.</param>
    public sealed record Trained(int Steps, double MeanLoss, TrainingTime Time) : TrainingOutcome;

    /// <summary>The loss or a weight became NaN or infinite; the network is of no use any more.</summary>
    /// <param name="Step">The step at which it was seen, from 1.</param>
    public sealed record NotFinite(int Step) : TrainingOutcome;
}

/// <summary>A step was made.</summary>
/// <param name="Step">Its number in this stretch, from 1.</param>
/// <param name="Steps">Steps of the stretch.</param>
/// <param name="Loss">Cross-entropy + Dice loss of its batch.</param>
public readonly record struct TrainingStep(int Step, int Steps, double Loss);

/// <summary>How long a stretch of training took, and what of it the steps spent waiting for patches.</summary>
public sealed record TrainingTime(TimeSpan Total, TimeSpan WaitedForData)
{
    /// <summary>Share of the time in which the network had nothing to do, 0 to 1.</summary>
    public double DataWaitShare => Total > TimeSpan.Zero ? WaitedForData / Total : 0;
}
