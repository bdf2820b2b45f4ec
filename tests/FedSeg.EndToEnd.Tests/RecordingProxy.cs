using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;

namespace FedSeg.EndToEnd.Tests;

/// <summary>
/// Stands between an agent and the coordinator with both their keys, so that it sees below TLS: records every byte an agent sends, and can cut the connection after a number of them.
/// </summary>
internal sealed class RecordingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private readonly X509Certificate2 _authority;
    private readonly MemoryStream _sent = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly int _coordinatorPort;
    private readonly string _coordinatorDirectory;
    private readonly string _siteDirectory;
    private readonly string _site;
    private readonly Task _accepting;
    private long _bytesUntilCut = long.MaxValue;

    public RecordingProxy(TestFederation federation, string site)
    {
        _coordinatorPort = federation.Demo.Port;
        _coordinatorDirectory = federation.Demo.CoordinatorDirectory;
        _siteDirectory = federation.Demo.SiteDirectory(site);
        _site = site;
        _authority = KeyFiles.LoadAuthority(Path.Combine(_coordinatorDirectory, FederationAuthority.CertificateFile));
        _listener.Start();
        federation.Demo.Configure(site, agent => agent["Coordinator"] = $"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    /// <summary>Connections cut so far.</summary>
    public int Cuts { get; private set; }

    /// <summary>Everything the agent has sent, plaintext.</summary>
    public byte[] Sent
    {
        get
        {
            lock (_sent) return _sent.ToArray();
        }
    }

    /// <summary>Cuts the connection once, after so many more bytes from the agent.</summary>
    public void CutAfter(long bytes) => Interlocked.Exchange(ref _bytesUntilCut, bytes);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient agentSide)
    {
        using var client = agentSide;
        using var server = new TcpClient();
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _coordinatorPort, _stop.Token);
            await using var inner = new SslStream(client.GetStream());
            await inner.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificate = KeyFiles.LoadCertificate(Path.Combine(_coordinatorDirectory, "coordinator.pem"), Path.Combine(_coordinatorDirectory, "coordinator.key")),
                    ClientCertificateRequired = true,
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => IsMember(certificate, MutualTls.ClientAuthentication),
                    ApplicationProtocols = [SslApplicationProtocol.Http2],
                },
                _stop.Token);
            await using var outer = new SslStream(server.GetStream());
            await outer.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "127.0.0.1",
                    ClientCertificates = [KeyFiles.LoadCertificate(Path.Combine(_siteDirectory, _site + ".pem"), Path.Combine(_siteDirectory, _site + ".key"))],
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => IsMember(certificate, ServerAuthentication),
                    ApplicationProtocols = [SslApplicationProtocol.Http2],
                },
                _stop.Token);
            await Task.WhenAny(PumpAsync(inner, outer, record: true), PumpAsync(outer, inner, record: false));
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
        {
            // One side went away; the agent connects again.
        }
    }

    private bool IsMember(X509Certificate? certificate, Oid purpose) =>
        certificate is X509Certificate2 member && MutualTls.IsTrusted(member, [_authority], purpose);

    private async Task PumpAsync(SslStream from, SslStream to, bool record)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, _stop.Token)) > 0)
        {
            if (record)
            {
                lock (_sent) _sent.Write(buffer, 0, read);
                if (Interlocked.Add(ref _bytesUntilCut, -read) <= 0)
                {
                    Interlocked.Exchange(ref _bytesUntilCut, long.MaxValue);
                    Cuts++;
                    return;
                }
            }

            await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }
}
