using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Egress.Plans;

/// <summary>Whether the coordinator that this site dials has ordered a plan, now and of this site. What is not proven is not believed.</summary>
internal sealed class PlanProof(EgressOptions options, TimeProvider time)
{
    /// <summary>How far the two clocks may differ.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    private readonly FederationTrust _trust = new(options.AuthorityPath, time);
    private readonly string _coordinator = new Uri(options.Recipient).IdnHost;

    public PlanOrigin Of(SignedPlan plan)
    {
        if (plan.Signature.Certificate.IsEmpty || plan.Signature.Value.IsEmpty) return new PlanOrigin.Unproven(PlanFlaw.NoSignature, Shown: null);
        try
        {
            using var signer = X509CertificateLoader.LoadCertificate(plan.Signature.Certificate.Span);
            var shown = Sha256Digest.Parse(MutualTls.Thumbprint(signer));
            return Flaw(plan, signer) is { } flaw
                ? new PlanOrigin.Unproven(flaw, shown)
                : new PlanOrigin.Proven(plan, new PlanSigner(shown, plan.Signature.Expires, plan.Hash));
        }
        catch (Exception error) when (error is CryptographicException or InvalidDataException)
        {
            // It is no certificate, or no authority can be read here: nobody is to be believed.
            return new PlanOrigin.Unproven(PlanFlaw.OtherAuthority, Shown: null);
        }
    }

    private PlanFlaw? Flaw(SignedPlan plan, X509Certificate2 signer)
    {
        var (now, signature) = (time.GetUtcNow(), plan.Signature);
        DateTimeOffset notBefore = signer.NotBefore, notAfter = signer.NotAfter;
        // Whose certificate it is does not depend on the clock; whether it counts is held against the signature's own time below.
        var at = now < notBefore ? notBefore : now >= notAfter ? notAfter.AddSeconds(-1) : now;
        if (!MutualTls.IsTrusted(signer, _trust.Roots, MutualTls.ServerAuthentication, at: at))
        {
            return MutualTls.IsTrusted(signer, _trust.Roots, MutualTls.ClientAuthentication, at: at) ? PlanFlaw.NotTheCoordinator : PlanFlaw.OtherAuthority;
        }

        using var key = signer.GetECDsaPublicKey();
        if (key is null || !signer.MatchesHostname(_coordinator)) return PlanFlaw.NotTheCoordinator;
        if (plan.Site != options.Site || !plan.IsSignedBy(key)) return PlanFlaw.OtherPlan;
        if (now >= signature.Expires + Skew) return PlanFlaw.Expired;
        if (now < signature.Issued - Skew) return PlanFlaw.NotYet;
        var outlivesSigner = signature.Expires > notAfter || signature.Issued < notBefore;
        return outlivesSigner || signature.Expires - signature.Issued > SignedPlan.LongestLife ? PlanFlaw.TooLong : null;
    }
}

/// <summary>Whose word a plan is.</summary>
internal abstract record PlanOrigin
{
    private PlanOrigin() { }

    /// <summary>The coordinator's. Nothing else is shown to people, approved or trained.</summary>
    public sealed record Proven(SignedPlan Signed, PlanSigner Signer) : PlanOrigin
    {
        public RoundPlan Plan => Signed.Plan;
    }

    /// <summary>Nobody's whose word counts.</summary>
    /// <param name="Flaw">Why.</param>
    /// <param name="Shown">SHA-256 of the certificate that came with it, if one did.</param>
    public sealed record Unproven(PlanFlaw Flaw, Sha256Digest? Shown) : PlanOrigin;
}
