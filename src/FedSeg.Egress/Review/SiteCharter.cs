using System.Collections.Immutable;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Identity;

namespace FedSeg.Egress.Review;

/// <summary>Where a charter stands at this site.</summary>
public enum CharterState
{
    /// <summary>Brought here, and nobody has decided.</summary>
    Waiting,

    /// <summary>Accepted by this hospital's people; it counts until it expires.</summary>
    Accepted,

    /// <summary>Declined, or taken back after it was accepted.</summary>
    Declined,

    /// <summary>Another one of the study was accepted after it.</summary>
    Replaced,
}

/// <summary>A study's charter at this site, as the ledger knows it.</summary>
/// <param name="Charter">Its hash.</param>
/// <param name="Study">The study.</param>
/// <param name="Version">Its version.</param>
/// <param name="Since">When it was brought here.</param>
/// <param name="State">What people said.</param>
public sealed record SiteCharter(Sha256Digest Charter, StudyId Study, int Version, DateTimeOffset Since, CharterState State)
{
    /// <summary>Who accepted it so far, where it takes two.</summary>
    public ImmutableArray<Approver> AcceptedBy { get; init; } = [];

    /// <summary>Who decided last; <see langword="null"/> while nobody has.</summary>
    public string? By { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset? At { get; init; }
}
