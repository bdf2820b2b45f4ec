using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Hosting.Certificates;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Sites;

/// <summary>Renews sites' certificates with the issuing authority, if there is one here; each renewal is in the ledger before the site has it.</summary>
internal sealed partial class CertificateRenewals(
    IOptions<CoordinatorOptions> options, CoordinatorLedger ledger, TimeProvider time, ILogger<CertificateRenewals> logger)
{
    /// <summary>See <see cref="FederationAuthority.Renew"/>; without an issuing authority nothing is renewed.</summary>
    public async Task<CertificateRenewal> RenewAsync(X509Certificate2 current)
    {
        var enrolment = options.Value.Enrolment;
        if (!enrolment.IsOn) return new CertificateRenewal.Refused(RenewalRefusal.SignedElsewhere);
        var outcome = FederationAuthority.Open(enrolment.Issuing, time).Renew(current, enrolment.Former);
        if (outcome is CertificateRenewal.Renewed renewed)
        {
            var thumbprint = MutualTls.ThumbprintOfPem(renewed.Certificate);
            LogRenewed(renewed.Site, thumbprint);
            await ledger.NoteIdentityAsync(IdentityEvent.CertificateRenewed, renewed.Site, new KeyValuePair<string, string>("certificate", thumbprint));
        }

        return outcome;
    }

    [LoggerMessage(233, LogLevel.Information, "Site {Site} got its certificate anew: {Thumbprint}")]
    private partial void LogRenewed(string site, string thumbprint);
}
