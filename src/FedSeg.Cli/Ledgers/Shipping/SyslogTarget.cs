using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Cli.Ledgers.Shipping;

/// <summary>
/// A collector of syslog over TLS, RFC 5425. The protocol has no answer of its own, so each batch has a connection of its own: it was received when the collector, told that
/// no more comes, closes its side in order.
/// </summary>
/// <param name="collector">Host and port, usually 6514.</param>
/// <param name="authority">Who must have signed the collector's certificate; the machine's own authorities when absent.</param>
/// <param name="certificate">The sender's certificate, for a collector that asks for one.</param>
internal sealed class SyslogTarget(DnsEndPoint collector, X509Certificate2? authority, X509Certificate2? certificate) : IAuditTarget
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public int BatchSize => 500;

    public async Task SendAsync(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        try
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(collector.Host, collector.Port, deadline.Token);
            await using var stream = new SslStream(socket.GetStream());
            await stream.AuthenticateAsClientAsync(Options(), deadline.Token);
            var host = Dns.GetHostName();
            foreach (var record in records) await stream.WriteAsync(SyslogMessage.Framed(SyslogMessage.Of(record, host)), deadline.Token);
            await stream.FlushAsync(deadline.Token);
            await stream.ShutdownAsync();
            socket.Client.Shutdown(SocketShutdown.Send);
            while (await stream.ReadAsync(new byte[256], deadline.Token) > 0) { }
        }
        catch (Exception error) when (error is SocketException or AuthenticationException)
        {
            throw new IOException($"The collector {collector.Host}:{collector.Port} could not be reached: {error.Message}", error);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"The collector {collector.Host}:{collector.Port} did not take the events within {Patience.TotalSeconds:F0} s.");
        }
    }

    private SslClientAuthenticationOptions Options()
    {
        var options = new SslClientAuthenticationOptions { TargetHost = collector.Host, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
        if (certificate is not null) options.ClientCertificates = [certificate];
        if (authority is not null) options.CertificateChainPolicy = MutualTls.TrustOnly([authority]);
        return options;
    }
}
