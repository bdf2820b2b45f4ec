using FedSeg.Federation.Identity;

namespace FedSeg.Egress;

/// <summary>Where the gate of one site finds its policy and keeps what waits to be sent.</summary>
public sealed record EgressOptions
{
    public required SiteId Site { get; init; }

    /// <summary>Who receives what leaves, as the ledger shall name it: the coordinator's address from the agent's settings.</summary>
    public required string Recipient { get; init; }

    /// <summary>The site's policy, YAML. It is read anew for everything that wants to leave; while the file is missing or wrong, nothing does.</summary>
    public required string PolicyPath { get; init; }

    /// <summary>A folder of the gate's own for sealed updates until they are sent.</summary>
    public required string OutboxDirectory { get; init; }

    /// <summary>The review desk's folder: people's accounts and their orders.</summary>
    public required string DeskDirectory { get; init; }

    /// <summary>The federation authority's certificate, PEM: its key signs the charters of studies.</summary>
    public required string AuthorityPath { get; init; }
}
