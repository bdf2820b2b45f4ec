namespace FedSeg.Hosting.Certificates;

/// <summary>What an authority answers to a site that wants its certificate anew.</summary>
public abstract record CertificateRenewal
{
    private CertificateRenewal() { }

    /// <summary>Signed and in the register.</summary>
    /// <param name="Site">Whose it is.</param>
    /// <param name="Certificate">PEM.</param>
    /// <param name="Issuer">The certificate of the authority that signed, PEM.</param>
    public sealed record Renewed(string Site, string Certificate, string Issuer) : CertificateRenewal;

    /// <summary>Not signed.</summary>
    public sealed record Refused(RenewalRefusal Reason) : CertificateRenewal;
}

/// <summary>Why a certificate is not renewed.</summary>
public enum RenewalRefusal
{
    /// <summary>No authority here signed it, or it was revoked, or has ended.</summary>
    SignedElsewhere,

    /// <summary>More than half of its life is left.</summary>
    TooEarly,

    /// <summary>It was renewed several times already.</summary>
    TooOften,

    /// <summary>The authority ends no later than the certificate: it needs a successor first.</summary>
    AuthorityEnds,
}
