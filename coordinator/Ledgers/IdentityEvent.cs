namespace FedSeg.Coordinator.Ledgers;

/// <summary>What the coordinator's ledger says of sites' identities.</summary>
internal enum IdentityEvent
{
    /// <summary>A token came with a key that now waits for a person.</summary>
    EnrolmentRequested,

    /// <summary>A token was refused.</summary>
    EnrolmentRefused,

    /// <summary>A confirmed site fetched its certificate.</summary>
    SiteEnrolled,

    /// <summary>A site got its certificate anew.</summary>
    CertificateRenewed,

    /// <summary>Somebody attended as a site with another key while the site itself did.</summary>
    SecondSession,

    /// <summary>Two agents took over from each other with the same key, again and again.</summary>
    SharedKey,
}
