namespace FedSeg.Cli.Ledgers.Shipping;

/// <summary>Where audit events go.</summary>
internal interface IAuditTarget
{
    /// <summary>Most events handed over at once.</summary>
    int BatchSize { get; }

    /// <summary>Hands events over; when this returns, the other side has them. What fails half-way goes again as a whole.</summary>
    /// <exception cref="IOException">It does not have them, or did not say so.</exception>
    Task SendAsync(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken);
}
