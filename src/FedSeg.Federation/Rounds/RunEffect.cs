namespace FedSeg.Federation.Rounds;

/// <summary>
/// What the sender of a <see cref="RunInput"/> has to do, in the order given. If one can't be done, those after it are not: the sender gives up and begins
/// anew, the runner with <see cref="RunInput.Resumed"/>, a site with its request.
/// </summary>
public abstract record RunEffect
{
    private RunEffect() { }

    /// <summary>Enter it in the journal. At most one, always the first, and on the disk before the run counts as changed.</summary>
    public sealed record Append(RunEvent Event) : RunEffect;

    /// <summary>Have in the coordinator's ledger, on the disk, what the journal says.</summary>
    public sealed record Note : RunEffect;

    /// <summary>Wait until the run changes or the runner has seen the open round this long; then <see cref="RunInput.Continued"/>.</summary>
    /// <param name="OpenFor">On a clock that nobody sets; infinite while the run is paused.</param>
    public sealed record Await(TimeSpan OpenFor) : RunEffect;

    /// <summary>Wait until no other round is being merged; then <see cref="RunInput.MergeTurn"/>.</summary>
    public sealed record AwaitMergeTurn(RoundState Round) : RunEffect;

    /// <summary>Merge the round's updates; then <see cref="RunInput.Merged"/> or <see cref="RunInput.Broke"/>.</summary>
    public sealed record Merge(RoundState Round) : RunEffect;

    /// <summary>
    /// Plan the network from the round's fingerprints and write its first model; then <see cref="RunInput.Planned"/> or <see cref="RunInput.Broke"/>.
    /// </summary>
    public sealed record PlanNetwork(RoundState Round) : RunEffect;

    /// <summary>Drop what is left of a round's unfinished uploads.</summary>
    public sealed record DropUploads(int Round) : RunEffect;

    /// <summary>The run is over: drop what is left of all its unfinished uploads, and stop running it.</summary>
    public sealed record Finish : RunEffect;

    /// <summary>Send the site this plan, unless it was sent on the same connection.</summary>
    public sealed record Assign(RoundPlan Plan) : RunEffect;

    /// <summary>Tell the site that the run is over.</summary>
    public sealed record Release : RunEffect;

    /// <summary>Take in the bytes of the announced update and check them against this plan; then <see cref="RunInput.Stored"/>.</summary>
    public sealed record Receive(RoundPlan Plan) : RunEffect;

    /// <summary>Answer the site's upload.</summary>
    public sealed record Answer(UploadOutcome Outcome) : RunEffect;
}
