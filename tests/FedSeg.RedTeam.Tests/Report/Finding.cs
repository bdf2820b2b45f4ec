namespace FedSeg.RedTeam.Tests.Report;

/// <summary>What one attack came to against one defence.</summary>
public sealed record Finding
{
    /// <summary>The attack, as the literature names it.</summary>
    public required string Attack { get; init; }

    /// <summary>Who is attacked: network, data, what the attacker sees.</summary>
    public required string Target { get; init; }

    /// <summary>What stands against it; the product's own code.</summary>
    public required string Defence { get; init; }

    /// <summary>What the numbers count.</summary>
    public required string Measure { get; init; }

    /// <summary>The same attack without the defence. If it does not work, the row shows nothing.</summary>
    public required double Control { get; init; }

    /// <summary>From here on the control counts as having worked.</summary>
    public required double ControlAtLeast { get; init; }

    /// <summary>What somebody gets who saw no update at all; absent where there is no such thing.</summary>
    public double? Floor { get; init; }

    /// <summary>The attack against the defence.</summary>
    public required double Defended { get; init; }

    /// <summary>The most that the defence may leave; absent where it is known not to defend and the row says by how much.</summary>
    public double? AtMost { get; init; }

    /// <summary>What to know beside the numbers.</summary>
    public string Remark { get; init; } = "";

    /// <summary>Whether the attack works where nothing stands against it.</summary>
    public bool ControlWorked => Control >= ControlAtLeast;

    /// <summary>
    /// <c>held</c>, <c>broken</c>, <c>control failed</c>, or <c>residual risk</c> where nothing is promised. NaN is never held.
    /// </summary>
    public string Verdict =>
        !ControlWorked ? "control failed" : AtMost is not { } most ? "residual risk" : Defended <= most ? "held" : "broken";
}
