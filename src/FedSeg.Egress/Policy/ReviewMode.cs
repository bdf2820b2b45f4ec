namespace FedSeg.Egress.Policy;

/// <summary>When a person decides about what passed every rule.</summary>
public enum ReviewMode
{
    /// <summary><c>every-round</c>: about everything that wants to leave.</summary>
    EveryRound,

    /// <summary><c>first-round</c>: about what a run wants to send first; once a person approved it, what passes every rule follows.</summary>
    FirstRound,

    /// <summary><c>auto-within-bounds</c>: about nothing; what passes every rule may leave.</summary>
    AutoWithinBounds,
}
