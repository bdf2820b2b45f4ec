using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FedSeg.Hosting.Certificates;

/// <summary>TLS 1.3 with certificates on both sides, trusting the federation's own authority and nothing the machine trusts.</summary>
public static class MutualTls
{
    public const SslProtocols Protocols = SslProtocols.Tls13;

    /// <summary>SHA-256 of a certificate, 64 lower-case hexadecimal digits.</summary>
    public static string Thumbprint(X509Certificate2 certificate) => Convert.ToHexStringLower(certificate.GetCertHash(HashAlgorithmName.SHA256));

    /// <summary>The same of a certificate in PEM.</summary>
    public static string ThumbprintOfPem(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return Thumbprint(certificate);
    }

    /// <summary>Whether the authority signed a certificate, for this purpose, and it is in its time.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="roots">The federation's authorities that count.</param>
    /// <param name="purpose">What the certificate is shown for.</param>
    /// <param name="issuing">Authorities below them that may have signed in their place; believed only as far as an authority vouches for them.</param>
    /// <param name="at">The moment it is asked for; now when not given.</param>
    public static bool IsTrusted(
        X509Certificate2 certificate, IEnumerable<X509Certificate2> roots, Oid purpose, IEnumerable<X509Certificate2>? issuing = null, DateTimeOffset? at = null)
    {
        using var chain = new X509Chain { ChainPolicy = TrustOnly(roots) };
        chain.ChainPolicy.ApplicationPolicy.Add(purpose);
        if (at is { } moment) chain.ChainPolicy.VerificationTime = moment.LocalDateTime;
        foreach (var below in issuing ?? []) chain.ChainPolicy.ExtraStore.Add(below);
        return chain.Build(certificate);
    }

    /// <summary>Trusts what these authorities signed and nothing the machine trusts; fetches nothing that a certificate points to.</summary>
    public static X509ChainPolicy TrustOnly(IEnumerable<X509Certificate2> roots)
    {
        var trust = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            // Revocation is the register's business: it works without a network and takes effect at once.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        foreach (var root in roots) trust.CustomTrustStore.Add(root);
        return trust;
    }

    /// <summary>The purpose a coordinator asks of its callers' certificates.</summary>
    public static Oid ClientAuthentication { get; } = new("1.3.6.1.5.5.7.3.2");

    /// <summary>The purpose a caller asks of the coordinator's certificate.</summary>
    public static Oid ServerAuthentication { get; } = new("1.3.6.1.5.5.7.3.1");

    /// <summary>
    /// A handler that dials a coordinator for somebody who has no certificate yet. Without an authority it believes any server: for asking for the authority's certificate,
    /// which is believed by its thumbprint, and for nothing else.
    /// </summary>
    [SuppressMessage("Security", "CA5359", Justification = "What comes back is public and believed by its thumbprint; nothing secret is sent this way.")]
    public static SocketsHttpHandler CreateNewcomersHandler(X509Certificate2? authority)
    {
        var tls = new SslClientAuthenticationOptions { EnabledSslProtocols = Protocols };
        if (authority is not null) tls.CertificateChainPolicy = TrustOnly([authority]);
        else tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        return new SocketsHttpHandler { SslOptions = tls, ConnectTimeout = TimeSpan.FromSeconds(15) };
    }

    /// <summary>
    /// A handler that dials the coordinator: presents the member's certificate, accepts only a server certificate that an authority which counts at that
    /// moment signed for the dialled name, pings an idle connection and never times out a transfer that makes progress.
    /// </summary>
    /// <param name="certificate">
    /// The member's certificate with its key, asked for at each new connection: it may be renewed meanwhile. <see langword="null"/> for somebody who has a token instead.
    /// </param>
    /// <param name="trust">The federation's authorities that count.</param>
    /// <exception cref="InvalidDataException">No authority can be read.</exception>
    public static SocketsHttpHandler CreateClientHandler(Func<X509Certificate2>? certificate, FederationTrust trust)
    {
        return new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = Protocols,
                LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate(),
                // A session that is resumed goes on as whoever began it.
                AllowTlsResume = false,
                // Keeps the machine's own trust and the network out of it; whom to believe, the next line asks anew, because an authority may have got a successor.
                CertificateChainPolicy = TrustOnly(trust.Roots),
                RemoteCertificateValidationCallback = (_, shown, _, problems) =>
                    (problems & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None
                    && shown is X509Certificate2 server && IsTrusted(server, trust.Roots, ServerAuthentication),
            },
            KeepAlivePingDelay = TimeSpan.FromSeconds(20),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            // After that new calls get a new connection, with the certificate of then; calls under way keep theirs.
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            EnableMultipleHttp2Connections = true,
        };
    }
}
