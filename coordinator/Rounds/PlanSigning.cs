using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.Connections;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// Signs the plans that are handed out, with the key of the certificate the coordinator shows at that moment. Nothing of it is stored: what is handed out again is signed
/// again.
/// </summary>
internal sealed class PlanSigning(ServerCertificate certificate, TimeProvider time)
{
    /// <summary>Short rounds too: a pause, a busy site or a restart makes them longer than their deadline.</summary>
    private static readonly TimeSpan ShortestLife = TimeSpan.FromHours(1);

    /// <summary>
    /// A signature counts for as long as the round may be waited for, at least an hour and at most a day, and never for longer than the certificate.
    /// </summary>
    public PlanSignature Sign(RoundPlan plan, JobSpec job, SiteId site)
    {
        var (signer, now) = (certificate.Current, time.GetUtcNow());
        var life = job.LongestWaitFor(plan) + TimeSpan.FromMinutes(job.GraceMinutes);
        var until = now + TimeSpan.FromTicks(Math.Clamp(life.Ticks, ShortestLife.Ticks, SignedPlan.LongestLife.Ticks));
        if (until > signer.NotAfter) until = signer.NotAfter;
        using var key = signer.GetECDsaPrivateKey() ?? throw new InvalidOperationException("The coordinator's certificate needs an ECDSA key.");
        return SignedPlan.Sign(plan, site, now, until, signer.RawData, key).Signature;
    }
}
