using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Sites;

/// <summary>
/// Whose word the coordinator takes for a member's certificate: the federation's authorities that count and the issuing ones below them. Asked at a handshake, at each call and
/// of calls under way, because an authority that has a successor ends to count; a certificate that a connection shows is judged once for as long as nothing changed.
/// </summary>
internal sealed partial class MemberTrust(FederationTrust trust, IOptions<CoordinatorOptions> options, ILogger<MemberTrust> logger)
{
    private readonly X509Certificate2[] _issuing =
        [.. options.Value.Enrolment.Authorities.Select(folder => KeyFiles.LoadAuthority(Path.Combine(folder, FederationAuthority.CertificateFile)))];

    /// <summary>Under which authorities a certificate was found good.</summary>
    private readonly ConditionalWeakTable<X509Certificate2, IReadOnlyList<X509Certificate2>> _judged = [];

    /// <summary>Whether an authority that counts now signed a member's certificate, itself or through an issuing one.</summary>
    public bool IsTrusted(X509Certificate2 member)
    {
        try
        {
            var roots = trust.Roots;
            if (_judged.TryGetValue(member, out var under) && ReferenceEquals(under, roots)) return true;
            if (!MutualTls.IsTrusted(member, roots, MutualTls.ClientAuthentication, _issuing)) return false;
            _judged.AddOrUpdate(member, roots);
            return true;
        }
        catch (InvalidDataException error)
        {
            // Deny by default, as with a register that can't be read.
            LogUnreadable(error.Message);
            return false;
        }
    }

    [LoggerMessage(202, LogLevel.Error, "Nobody is let in: {Problem}")]
    private partial void LogUnreadable(string problem);
}
