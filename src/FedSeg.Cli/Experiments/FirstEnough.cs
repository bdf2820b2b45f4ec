namespace FedSeg.Cli.Experiments;

/// <summary>When a federation's global model first was good enough on held-back patients.</summary>
/// <param name="Rounds">Rounds until then.</param>
/// <param name="Trained">How long they took, all sites one after the other in this process; scoring is not counted.</param>
internal sealed record FirstEnough(int Rounds, TimeSpan Trained)
{
    /// <summary>The mean Dice that is enough.</summary>
    public const double MeanDice = 0.85;

    /// <summary>Scores rounds from the first on until one is good enough: Dice rises and falls, so a search would miss the first.</summary>
    /// <param name="trained">How long training had taken by the end of each round.</param>
    /// <param name="meanDiceOf">Mean Dice of a round's model; rounds count from 1.</param>
    /// <returns><see langword="null"/> where no round is.</returns>
    public static FirstEnough? Of(IReadOnlyList<TimeSpan> trained, Func<int, double> meanDiceOf)
    {
        for (var round = 1; round <= trained.Count; round++)
        {
            if (meanDiceOf(round) >= MeanDice) return new FirstEnough(round, trained[round - 1]);
        }

        return null;
    }
}
