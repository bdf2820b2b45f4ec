using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace FedSeg.Cli.Tests.Ledgers.Shipping;

/// <summary>A collector of syslog over TLS on loopback, with an authority of its own.</summary>
internal sealed class SyslogCollector : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly X509Certificate2 _certificate;
    private readonly Task _serving;

    public SyslogCollector()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var selfSigned = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        _certificate = X509CertificateLoader.LoadPkcs12(selfSigned.Export(X509ContentType.Pkcs12), null);
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Bytes after which the next connections are cut; never when not set.</summary>
    public int? CutAfter { get; set; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public X509Certificate2 Authority => X509CertificateLoader.LoadCertificate(_certificate.RawData);

    /// <summary>Everything received, connection by connection.</summary>
    public List<byte[]> Received { get; } = [];

    /// <summary>The messages of all connections that ended in order, without their octet counts.</summary>
    public IEnumerable<string> Messages
    {
        get
        {
            foreach (var bytes in Received)
            {
                for (var at = 0; at < bytes.Length;)
                {
                    var space = Array.IndexOf(bytes, (byte)' ', at);
                    var length = int.Parse(Encoding.ASCII.GetString(bytes, at, space - at));
                    yield return Encoding.UTF8.GetString(bytes, space + 1, length);
                    at = space + 1 + length;
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _listener.Dispose();
        _certificate.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await using var stream = new SslStream(client.GetStream());
                await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
                await ReadAsync(client, stream);
            }
            catch (Exception error) when (error is OperationCanceledException or IOException or SocketException or System.Security.Authentication.AuthenticationException)
            {
                // A sender that went away or was cut off; the next one may come.
            }
        }
    }

    private async Task ReadAsync(TcpClient client, SslStream stream)
    {
        var all = new MemoryStream();
        var buffer = new byte[4096];
        int read;
        while ((read = await stream.ReadAsync(buffer, _stop.Token)) > 0)
        {
            all.Write(buffer, 0, read);
            if (all.Length < CutAfter || CutAfter is null) continue;
            // With a reset, as the system closes a dead program's socket that has bytes unread; the stream above it would say goodbye first.
            client.Client.LingerState = new LingerOption(enable: true, seconds: 0);
            client.Client.Close(timeout: 0);
            return;
        }

        Received.Add(all.ToArray());
        await stream.ShutdownAsync();
    }
}
