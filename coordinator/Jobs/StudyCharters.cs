using System.Security.Cryptography.X509Certificates;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Hosting.Certificates;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Jobs;

/// <summary>
/// The signed charters in the coordinator's folder, so that a job outside its study's charter is refused when it is handed in, with every reason. They free nothing:
/// each hospital holds every run against the charter that its own people accepted.
/// </summary>
internal sealed partial class StudyCharters(IOptions<CoordinatorOptions> options, FederationTrust trust, TimeProvider time, ILogger<StudyCharters> logger)
{
    /// <summary>Where the job's run would leave the newest charter of its study that lies here; empty when it does not, or none does.</summary>
    public IReadOnlyList<string> Problems(JobSpec job)
    {
        if (options.Value.Charters.Length == 0 || job.Study is not { } study || Newest(study) is not { } charter) return [];
        var problems = new List<string>(charter.Problems(job));
        if (charter.HasExpired(time.GetUtcNow())) problems.Add($"it expired after {charter.Expires:yyyy-MM-dd}");
        if (!charter.Recipients.Any(IsThisCoordinator))
        {
            var named = string.Join(", ", charter.Recipients.Select(recipient => recipient.Address));
            problems.Add($"this coordinator is none of its recipients: no name in its certificate is a host of {named}");
        }

        return [.. problems.Select(problem => $"outside the charter of {study}, version {charter.Version}, {charter.Hash.Abbreviated}: {problem}")];
    }

    private StudyCharter? Newest(StudyId study)
    {
        var authorities = trust.Roots;
        StudyCharter? newest = null;
        foreach (var path in Directory.GetFiles(options.Value.Charters, "*.json"))
        {
            if (SignedCharter.TryRead(File.ReadAllBytes(path)) is not { } signed || !authorities.Any(authority => IsSignedBy(signed, authority))) LogNotSigned(path);
            else if (signed.Charter.Study == study && signed.Charter.Version > (newest?.Version ?? 0)) newest = signed.Charter;
        }

        return newest;
    }

    private static bool IsSignedBy(SignedCharter charter, X509Certificate2 authority)
    {
        using var key = authority.GetECDsaPublicKey() ?? throw new InvalidDataException($"The key of {authority.Subject} is not an ECDSA key.");
        return charter.IsSignedBy(key);
    }

    private bool IsThisCoordinator(CharterRecipient recipient)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(options.Value.Certificate);
        return Uri.TryCreate(recipient.Address, UriKind.Absolute, out var address) && certificate.MatchesHostname(address.DnsSafeHost);
    }

    [LoggerMessage(302, LogLevel.Error, "{Path} counts nothing: it is no charter that the federation's authority signed")]
    private partial void LogNotSigned(string path);
}
