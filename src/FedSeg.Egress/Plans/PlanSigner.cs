using FedSeg.Federation.Identity;

namespace FedSeg.Egress.Plans;

/// <summary>Who ordered a plan, as this site has verified.</summary>
/// <param name="Certificate">SHA-256 of the coordinator's certificate.</param>
/// <param name="Until">When its signature ends: after that the plan is not begun before it is signed anew.</param>
/// <param name="Evidence">SHA-256 of the kept <see cref="Federation.Rounds.SignedPlan"/>, with which others can verify it, too.</param>
public sealed record PlanSigner(Sha256Digest Certificate, DateTimeOffset Until, Sha256Digest Evidence);

/// <summary>Why a plan is not to be believed.</summary>
public enum PlanFlaw
{
    /// <summary>It has no signature.</summary>
    NoSignature,

    /// <summary>No authority that this site trusts vouches for the signer.</summary>
    OtherAuthority,

    /// <summary>The signer is a member of the federation, but not the coordinator that this site dials.</summary>
    NotTheCoordinator,

    /// <summary>The signature is of another plan, run, round, site or time.</summary>
    OtherPlan,

    /// <summary>It is from the future, by more than clocks may differ.</summary>
    NotYet,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>It would count for longer than a signature may, or beyond its signer's certificate.</summary>
    TooLong,
}
