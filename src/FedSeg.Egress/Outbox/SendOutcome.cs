namespace FedSeg.Egress.Outbox;

/// <summary>The coordinator's answer to what was sent.</summary>
public enum SendReceipt
{
    /// <summary>It holds the update, durably, and counts it (also when it held it already).</summary>
    Accepted,

    /// <summary>It received the update and does not count it.</summary>
    RefusedByCoordinator,
}

/// <summary>Why something cleared did not reach the coordinator. A code; the agent's own log says more.</summary>
public enum SendFailure
{
    /// <summary>No connection, or it broke; to be sent again.</summary>
    Unreachable,

    /// <summary>The coordinator does not let this site in; to be sent again when that is mended.</summary>
    Unauthorized,

    /// <summary>The weights are no longer what was approved (<see cref="PayloadChangedException"/>); not to be sent.</summary>
    PayloadChanged,

    /// <summary>The blind exchange ended before it could be masked; not to be sent.</summary>
    ExchangeEnded,

    /// <summary>Any other fault; to be sent again.</summary>
    Fault,
}
