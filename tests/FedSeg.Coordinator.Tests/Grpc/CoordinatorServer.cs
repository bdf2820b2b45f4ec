using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.Grpc;
using FedSeg.Coordinator.Operations;
using FedSeg.Coordinator.Tests.People;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Enrolment;
using FedSeg.Hosting.Programs;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Coordinator.Tests.Grpc;

/// <summary>The coordinator as Program.cs builds it, on a free port, with real certificates.</summary>
public sealed class CoordinatorServer : IAsyncLifetime
{
    private readonly string[] _switches;
    private readonly TimeProvider _time;
    private readonly string _root = Directory.CreateTempSubdirectory("fedseg-server-").FullName;
    private readonly List<IDisposable> _owned = [];
    private FederationAuthority _authority = null!;
    private WebApplication _app = null!;
    private Uri _tokenAddress = null!;
    private SocketsHttpHandler _tokenHandler = null!;

    public CoordinatorServer() : this([], TimeProvider.System)
    {
    }

    /// <summary>With settings of the test's own, as on the command line, and a clock.</summary>
    internal CoordinatorServer(IEnumerable<string> switches, TimeProvider time) => (_switches, _time) = ([.. switches], time);

    public async ValueTask InitializeAsync()
    {
        await Provider.InitializeAsync();
        // Long enough ago that what they signed can be old.
        FederationAuthority.Create(PathOf("authority"), "test", new FakeTimeProvider(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(40)))
            .CreateIssuing(PathOf("issuing"), TimeSpan.FromDays(100));
        _authority = FederationAuthority.Open(PathOf("authority"), TimeProvider.System);
        Issuing = FederationAuthority.Open(PathOf("issuing"), TimeProvider.System);
        Enrolments = new EnrolmentBook(PathOf("issuing"), TimeProvider.System);
        var request = KeyFiles.CreateRequest(PathOf("coordinator.key"), "coordinator");
        await File.WriteAllTextAsync(PathOf("coordinator.pem"), _authority.SignCoordinator(request, ["127.0.0.1"], TimeSpan.FromDays(1)));
        var grants = Enum.GetValues<PersonRole>().Where(role => role != PersonRole.None).SelectMany(role => new[] { Grant("group", role, ""), Grant("lungs", role, "lungs") });
        await File.WriteAllTextAsync(PathOf("coordinator.json"), $$"""
            {
              "Coordinator": {
                "Listen": "127.0.0.1:0", "DataDirectory": "data", "Certificate": "coordinator.pem", "PrivateKey": "coordinator.key",
                "Authority": "authority/authority.pem", "Register": "authority/register.json", "Charters": "charters", "Operations": "127.0.0.1:0",
                "Enrolment": { "Issuing": "issuing", "Listen": "127.0.0.1:0" },
                "OpenId": {
                  "Authority": "{{Provider.Authority}}", "Audience": "{{ResearchProvider.Audience}}", "Listen": "127.0.0.1:0",
                  "Grants": [{{string.Join(", ", grants.Where(grant => grant.Length > 0))}}]
                }
              }
            }
            """);

        Directory.CreateDirectory(PathOf("charters"));
        string[] args = ["--settings", PathOf("coordinator.json"), .. _switches];
        var builder = WebApplication.CreateSlimBuilder();
        ServiceProgram.Configure(builder, args);
        builder.Logging.ClearProviders();
        builder.AddCoordinatorOptions(args);
        builder.AddFederationEndpoint();
        builder.AddOperations();
        builder.Services.AddSingleton(_time).AddSingleton(Hosting.Faults.Failpoints.None);
        builder.Services.AddSites().AddLedger().AddModels().AddRounds().AddJobs();
        _app = builder.Build();
        _app.UseFederation();
        await _app.StartAsync();
        var addresses = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(address => new Uri(address)).ToArray();
        (Address, EnrolmentAddress, _tokenAddress) = (addresses[0], addresses[1], addresses[2]);
        _tokenHandler = MutualTls.CreateClientHandler(certificate: null, new FederationTrust(_authority.CertificatePath, TimeProvider.System));

        // A platform admin is one for every study.
        static string Grant(string prefix, PersonRole role, string study) => role == PersonRole.PlatformAdmin && study.Length > 0
            ? "" : $$"""{ "Group": "{{prefix}}-{{role}}", "Role": "{{role}}", "Study": "{{study}}" }""";
    }

    /// <summary>Where people get tokens for this coordinator.</summary>
    internal ResearchProvider Provider { get; } = new();

    /// <summary>A channel of somebody with a token, at the door that is there for them.</summary>
    internal GrpcChannel DialWithToken(string? token)
    {
        var options = new GrpcChannelOptions { HttpHandler = _tokenHandler };
        if (token is not null)
        {
            options.Credentials = ChannelCredentials.Create(ChannelCredentials.SecureSsl, CallCredentials.FromInterceptor((_, metadata) =>
            {
                metadata.Add("authorization", "Bearer " + token);
                return Task.CompletedTask;
            }));
        }

        var channel = GrpcChannel.ForAddress(_tokenAddress, options);
        _owned.Insert(0, channel);
        return channel;
    }

    /// <summary>The certificate of somebody whom the provider knows as <paramref name="person"/>.</summary>
    internal X509Certificate2 SignPerson(string name, PersonRole role, string person)
    {
        var (keyPath, request) = NewKey();
        return WithKey(_authority.SignMember(request, MemberKind.Person, name, role, TimeSpan.FromDays(1), person: person), keyPath);
    }

    /// <summary>Where members knock.</summary>
    internal Uri Address { get; private set; } = null!;

    /// <summary>Where those knock who have no certificate yet.</summary>
    internal Uri EnrolmentAddress { get; private set; } = null!;

    internal FederationAuthority Issuing { get; private set; } = null!;

    internal FederationAuthority Authority => _authority;

    internal EnrolmentBook Enrolments { get; private set; } = null!;

    /// <summary>Puts a charter, signed by the authority, into the coordinator's folder.</summary>
    internal void Hold(StudyCharter charter)
    {
        using var certificate = _authority.LoadCertificate();
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllBytes(PathOf($"charters/{charter.Hash}.json"), SignedCharter.Sign(charter, key).ToBytes());
    }

    /// <summary>What the operators' port answers.</summary>
    internal async Task<(int Status, string Body)> AskOperationsAsync(string path, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = Part<OperationsEndpoint>().Address };
        using var response = await http.GetAsync(path, cancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>What the operators' port answers to.</summary>
    internal IEnumerable<string> OperatorsRoutes => Part<OperationsEndpoint>().Routes;

    internal T Part<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>A channel of a new member.</summary>
    internal GrpcChannel Dial(string name, MemberKind kind, PersonRole role = PersonRole.None, IReadOnlyList<StudyRole>? studies = null) =>
        Dial(SignMember(_authority, name, kind, role, studies));

    /// <summary>A channel of a certificate that another authority of the same name signed.</summary>
    internal GrpcChannel DialFromAnotherFederation(string name) => Dial(SignElsewhere(name));

    /// <summary>A channel without a certificate.</summary>
    internal GrpcChannel DialWithoutCertificate()
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(KeyFiles.LoadAuthority(_authority.CertificatePath));
        return Dial(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = trust } });
    }

    /// <summary>A channel of a member that offers nothing newer than TLS 1.2.</summary>
    internal GrpcChannel DialWithTls12(X509Certificate2 certificate)
    {
        var handler = MutualTls.CreateClientHandler(() => certificate, new FederationTrust(_authority.CertificatePath, TimeProvider.System));
        handler.SslOptions.EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12;
        return Dial(handler);
    }

    /// <summary>A channel of somebody without a certificate, at the port that is there for them.</summary>
    /// <param name="from">The address to come from; all of 127.0.0.0/8 is this machine.</param>
    internal GrpcChannel DialToEnrol(string from = "127.0.0.1")
    {
        var handler = MutualTls.CreateNewcomersHandler(KeyFiles.LoadAuthority(_authority.CertificatePath));
        handler.ConnectCallback = async (connecting, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
            await socket.ConnectAsync(IPAddress.Parse(connecting.DnsEndPoint.Host), connecting.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        };
        return Dial(handler, EnrolmentAddress);
    }

    /// <summary>A new key in a file, and the request for it.</summary>
    internal (string KeyPath, string Request) NewKey()
    {
        var path = PathOf(Guid.NewGuid() + ".key");
        return (path, KeyFiles.CreateRequest(path, "anybody"));
    }

    /// <summary>A certificate in PEM with the key that <see cref="NewKey"/> made.</summary>
    internal X509Certificate2 WithKey(string certificate, string keyPath)
    {
        File.WriteAllText(keyPath + ".pem", certificate);
        var loaded = KeyFiles.LoadCertificate(keyPath + ".pem", keyPath);
        _owned.Add(loaded);
        return loaded;
    }

    internal GrpcChannel Dial(X509Certificate2 certificate) => Dial(certificate, new FederationTrust(_authority.CertificatePath, TimeProvider.System));

    /// <summary>A channel of a member that believes authorities of its own.</summary>
    internal GrpcChannel Dial(X509Certificate2 certificate, FederationTrust trust) => Dial(MutualTls.CreateClientHandler(() => certificate, trust));

    internal X509Certificate2 SignMember(string name, MemberKind kind, PersonRole role = PersonRole.None) => SignMember(_authority, name, kind, role);

    /// <summary>A site's certificate that the issuing authority signed a while ago.</summary>
    internal X509Certificate2 SignSite(string name, TimeSpan age, TimeSpan life)
    {
        var then = FederationAuthority.Open(PathOf("issuing"), new FakeTimeProvider(TimeProvider.System.GetUtcNow() - age));
        var (keyPath, request) = NewKey();
        return WithKey(then.SignMember(request, MemberKind.Site, name, PersonRole.None, life), keyPath);
    }

    /// <summary>A certificate of another authority of the same name.</summary>
    internal X509Certificate2 SignElsewhere(string name) =>
        SignMember(FederationAuthority.Create(PathOf(Guid.NewGuid().ToString()), "test", TimeProvider.System), name, MemberKind.Site, PersonRole.None);

    /// <summary>A member's certificate for a connection without a client library.</summary>
    internal static SslStreamCertificateContext Raw(X509Certificate2 certificate) => SslStreamCertificateContext.Create(certificate, null, offline: true);

    internal void Revoke(MemberKind kind, string name) => _authority.Revoke(kind, name);

    public async ValueTask DisposeAsync()
    {
        foreach (var item in _owned) item.Dispose();
        _tokenHandler.Dispose();
        await _app.DisposeAsync();
        await Provider.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    internal X509Certificate2 SignMember(FederationAuthority authority, string name, MemberKind kind, PersonRole role, IReadOnlyList<StudyRole>? studies = null)
    {
        var path = PathOf(Guid.NewGuid().ToString());
        var request = KeyFiles.CreateRequest(path + ".key", name);
        File.WriteAllText(path + ".pem", authority.SignMember(request, kind, name, role, TimeSpan.FromDays(1), studies));
        var certificate = KeyFiles.LoadCertificate(path + ".pem", path + ".key");
        _owned.Add(certificate);
        return certificate;
    }

    private GrpcChannel Dial(SocketsHttpHandler handler, Uri? address = null)
    {
        var channel = GrpcChannel.ForAddress(address ?? Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        _owned.Insert(0, channel);
        return channel;
    }

    /// <summary>A path in the server's folder, which has its settings and everything that they name.</summary>
    internal string PathOf(string name) => Path.Combine(_root, name);
}
