using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Cli.Ledgers.Shipping;

/// <summary>A FHIR server that takes AuditEvents one by one, as in IHE RESTful ATNA (ITI-20).</summary>
/// <param name="address">The server's base URL.</param>
/// <param name="authority">Who must have signed its certificate; the machine's own authorities when absent.</param>
/// <param name="certificate">The sender's certificate, for a server that asks for one.</param>
internal sealed class FhirTarget(Uri address, X509Certificate2? authority, X509Certificate2? certificate) : IAuditTarget, IDisposable
{
    private readonly HttpClient _http = new(Handler(authority, certificate)) { BaseAddress = new Uri(address.AbsoluteUri.TrimEnd('/') + "/"), Timeout = TimeSpan.FromSeconds(30) };

    public int BatchSize => 1;

    public async Task SendAsync(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var record in records)
            {
                using var content = new StringContent(FhirAuditEvent.Of(record).ToJsonString(), Encoding.UTF8, "application/fhir+json");
                using var response = await _http.PostAsync("AuditEvent", content, cancellationToken);
                if (!response.IsSuccessStatusCode) throw new IOException($"{address} answered {(int)response.StatusCode} to entry {record.Entry.Seq}.");
            }
        }
        catch (HttpRequestException error)
        {
            throw new IOException($"{address} could not be reached: {error.Message}", error);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"{address} did not answer in time.");
        }
    }

    public void Dispose() => _http.Dispose();

    private static SocketsHttpHandler Handler(X509Certificate2? authority, X509Certificate2? certificate)
    {
        var ssl = new SslClientAuthenticationOptions();
        if (certificate is not null) ssl.ClientCertificates = [certificate];
        if (authority is not null) ssl.CertificateChainPolicy = MutualTls.TrustOnly([authority]);
        return new SocketsHttpHandler { SslOptions = ssl, AllowAutoRedirect = false };
    }
}
