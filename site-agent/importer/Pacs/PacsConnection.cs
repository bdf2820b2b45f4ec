using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Importer.Pacs;

/// <summary>
/// The one way from this process to a network. It reaches the configured address and nothing else: no proxy of the environment, no
/// redirect, and a request for
/// another host is a broken invariant.
/// </summary>
internal static class PacsConnection
{
    /// <exception cref="InvalidDataException">A certificate or the password file can't be read.</exception>
    public static HttpClient Create(PacsOptions options)
    {
        var root = new Uri(options.Address.TrimEnd('/') + "/");
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(options.SilenceSeconds),
            // A name that moved to another machine is found again.
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            SslOptions = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 },
        };
        if (options.Authority.Length > 0) handler.SslOptions.CertificateChainPolicy = Trusting(options.Authority);
        if (options.Certificate.Length > 0)
        {
            var certificate = KeyFiles.LoadCertificate(options.Certificate, options.PrivateKey);
            handler.SslOptions.ClientCertificates = [certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        // Silence is bounded per read, a whole transfer is not.
        var client = new HttpClient(new OneHostHandler(root, handler)) { BaseAddress = root, Timeout = Timeout.InfiniteTimeSpan };
        if (options.UserName.Length > 0)
        {
            var password = File.ReadLines(options.PasswordFile).FirstOrDefault()
                ?? throw new InvalidDataException($"Importer:Pacs:PasswordFile is '{options.PasswordFile}', which is empty.");
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.UserName}:{password}")));
        }

        return client;
    }

    private static X509ChainPolicy Trusting(string authorityPath)
    {
        // A hospital's own authority rarely serves revocation lists to its machines; it replaces the file instead.
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(authorityPath);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"Could not load the authority's certificates '{authorityPath}': {error.Message}", error);
        }

        return policy.CustomTrustStore.Count > 0
            ? policy
            : throw new InvalidDataException($"Importer:Pacs:Authority is '{authorityPath}', which holds no PEM certificate.");
    }

    private sealed class OneHostHandler(Uri root, HttpMessageHandler next) : DelegatingHandler(next)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            request.RequestUri is { } target && root.IsBaseOf(target)
                ? base.SendAsync(request, cancellationToken)
                : throw new InvalidOperationException("A request left the PACS's own address.");
    }
}
