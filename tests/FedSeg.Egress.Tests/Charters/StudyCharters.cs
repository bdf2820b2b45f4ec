using System.Security.Cryptography.X509Certificates;
using FedSeg.Egress.Charters;
using FedSeg.Egress.Review;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.Testing;

namespace FedSeg.Egress.Tests.Charters;

/// <summary>Charters of a study in which the test's hospital takes part.</summary>
internal static class StudyCharters
{
    public static StudyId Study { get; } = StudyId.Parse("kidneys-2026");

    public static StudyCharter New(params (string Before, string Now)[] changes) =>
        Assert.IsType<CharterFileResult.Valid>(CharterFile.Parse(CharterYaml.With(changes))).Charter;

    public static SignedCharter Sign(this HospitalOnDisk hospital, StudyCharter charter)
    {
        using var certificate = hospital.Authority.LoadCertificate();
        using var key = certificate.GetECDsaPrivateKey()!;
        return SignedCharter.Sign(charter, key);
    }

    /// <summary>Olga, who operates the site, puts a signed charter before the desk.</summary>
    public static async Task<OrderOutcome> BringAsync(this HospitalOnDisk hospital, SignedCharter signed)
    {
        new CharterFiles(hospital.DeskPath).Keep(signed);
        return await hospital.Gate.Desk.ObeyAsync(
            new DeskOrder.ImportCharter { Id = NewId(), By = "olga", At = hospital.Time.GetUtcNow(), Charter = signed.Hash });
    }

    public static Task<OrderOutcome> AcceptAsync(this HospitalOnDisk hospital, string by, Sha256Digest charter) =>
        hospital.Gate.Desk.ObeyAsync(new DeskOrder.AcceptCharter { Id = NewId(), By = by, At = hospital.Time.GetUtcNow(), Charter = charter });

    public static Task<OrderOutcome> DeclineAsync(this HospitalOnDisk hospital, string by, Sha256Digest charter) => hospital.Gate.Desk.ObeyAsync(
        new DeskOrder.DeclineCharter { Id = NewId(), By = by, At = hospital.Time.GetUtcNow(), Charter = charter, Reason = RefusalReason.OutsidePurpose });

    /// <summary>Signs, brings and accepts a charter.</summary>
    public static async Task<Sha256Digest> HoldAsync(this HospitalOnDisk hospital, StudyCharter charter)
    {
        Assert.IsType<OrderOutcome.Obeyed>(await hospital.BringAsync(hospital.Sign(charter)));
        Assert.IsType<OrderOutcome.Obeyed>(await hospital.AcceptAsync("anna", charter.Hash));
        return charter.Hash;
    }

    private static string NewId() => Guid.NewGuid().ToString("N");
}
