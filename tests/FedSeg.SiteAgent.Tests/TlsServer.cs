using System.Net;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FedSeg.SiteAgent.Tests;

/// <summary>gRPC services of a test on a free port, over real TLS with a coordinator's certificate.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly X509Certificate2 _certificate;

    private TlsServer(WebApplication app, X509Certificate2 certificate) => (_app, _certificate) = (app, certificate);

    public string Address
    {
        get
        {
            var addresses = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
            return $"https://127.0.0.1:{new Uri(addresses.Single()).Port}";
        }
    }

    /// <summary>Starts the services that <paramref name="map"/> names.</summary>
    /// <param name="root">A folder for certificate and key.</param>
    /// <param name="authority">Signs the certificate.</param>
    /// <param name="script">What the services take in their constructors.</param>
    /// <param name="map">Names them.</param>
    /// <param name="host">Whom the certificate is for.</param>
    public static async Task<TlsServer> StartAsync<T>(string root, FederationAuthority authority, T script, Action<WebApplication> map, string host = "127.0.0.1")
        where T : class
    {
        var keyPath = Path.Combine(root, "coordinator.key");
        var signed = authority.SignCoordinator(KeyFiles.CreateRequest(keyPath, "coordinator"), [host], TimeSpan.FromDays(1));
        File.WriteAllText(Path.Combine(root, "coordinator.pem"), signed);
        var certificate = KeyFiles.LoadCertificate(Path.Combine(root, "coordinator.pem"), keyPath);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(script);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificate = certificate,
                SslProtocols = MutualTls.Protocols,
                ClientCertificateMode = ClientCertificateMode.RequireCertificate,
                ClientCertificateValidation = (_, _, _) => true,
            });
        }));
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new TlsServer(app, certificate);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate.Dispose();
    }
}
