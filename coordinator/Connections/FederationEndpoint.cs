using System.Net;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.Operations;
using FedSeg.Coordinator.People;
using FedSeg.Coordinator.Sites;
using FedSeg.Hosting.Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Connections;

/// <summary>The coordinator's doors: the members', where sites enrol over the wire one for those who have no certificate yet, and where people have a provider one for tokens.</summary>
internal sealed class FederationEndpoint(
    IOptions<CoordinatorOptions> settings, ServerCertificate certificate, MemberTrust members, CoordinatorTelemetry telemetry, TimeProvider time, ILogger<ConnectionLimits> logger)
    : IConfigureOptions<KestrelServerOptions>
{
    private const int StreamWindowBytes = 2 << 20;

    /// <summary>Least bytes a second of a call's message where nothing stricter watches, Kestrel's own figure.</summary>
    private const double LeastBytesPerSecond = 240;

    public void Configure(KestrelServerOptions kestrel)
    {
        var options = settings.Value;
        var connections = options.Connections;
        if (!IPEndPoint.TryParse(options.Listen, out var endpoint))
        {
            throw new InvalidDataException($"Coordinator:Listen is '{options.Listen}'; give an address and port, such as 0.0.0.0:7443.");
        }

        var enrolment = options.Enrolment;
        kestrel.AddServerHeader = false;
        // Kestrel counts at each door by itself.
        kestrel.Limits.MaxConcurrentConnections = connections.Maximum;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(connections.RequestSeconds);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(LeastBytesPerSecond, TimeSpan.FromSeconds(connections.RequestSeconds));
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(connections.IdleSeconds);
        // A call's headers are a path and a handful of gRPC's own.
        kestrel.Limits.MaxRequestHeadersTotalSize = 8 << 10;
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = 8 << 10;
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(20);
        kestrel.Limits.Http2.MaxStreamsPerConnection = 16;
        // What a sender may have under way before it must wait: enough to keep a fast line full, and the most that a stalled reader costs.
        kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindowBytes;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 2 * StreamWindowBytes;
        Open(endpoint, ClientCertificateMode.RequireCertificate, members.IsTrusted);
        // A door of its own for those who have no certificate yet: what asks for a member refuses there whoever calls.
        if (enrolment.IsOn) Open(IPEndPoint.Parse(enrolment.Listen), ClientCertificateMode.NoCertificate, _ => false);

        // Another one for people with a token of their provider. No site has one, and a token is looked at nowhere else.
        if (options.OpenId.IsOn) Open(IPEndPoint.Parse(options.OpenId.Listen), ClientCertificateMode.NoCertificate, _ => false, takesTokens: true);

        void Open(IPEndPoint at, ClientCertificateMode mode, Func<X509Certificate2, bool> isTrusted, bool takesTokens = false) => kestrel.Listen(at, door =>
        {
            if (takesTokens) door.Use(next => connection =>
            {
                TokenSignIn.Mark(connection.Items);
                return next(connection);
            });
            door.Protocols = HttpProtocols.Http2;
            new ConnectionLimits(connections, telemetry, time, logger).Guard(door, new HttpsConnectionAdapterOptions
            {
                ServerCertificateSelector = (_, _) => certificate.Current,
                SslProtocols = MutualTls.Protocols,
                HandshakeTimeout = TimeSpan.FromSeconds(connections.HandshakeSeconds),
                ClientCertificateMode = mode,
                ClientCertificateValidation = (client, _, _) => isTrusted(client),
            });
        });
    }
}
