using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Storage;
using FedSeg.Protocol.Transfer;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Coordinator;

/// <summary>The one connection to the coordinator, mutually authenticated. What may be said on it is decided by those who hold it, both in this folder.</summary>
internal sealed class CoordinatorChannel : IDisposable
{
    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(30);

    private readonly GrpcChannel _channel;
    private readonly TimeProvider _time;
    private readonly FederationTrust _trust;
    private readonly string _certificatePath, _keyPath;
    private volatile X509Certificate2 _certificate;

    public CoordinatorChannel(IOptions<AgentOptions> options, TimeProvider time)
    {
        var settings = options.Value;
        _time = time;
        (_certificatePath, _keyPath) = (settings.Certificate, settings.PrivateKey);
        _certificate = KeyFiles.LoadCertificate(_certificatePath, _keyPath);
        _trust = new FederationTrust(settings.Authority, time);
        _channel = GrpcChannel.ForAddress(settings.Coordinator, new GrpcChannelOptions
        {
            HttpHandler = MutualTls.CreateClientHandler(() => _certificate, _trust),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 1 << 20,
            CompressionProviders = [],
        });
    }

    /// <summary>The site's certificate, with its key; another one of the same key after <see cref="Renew"/>.</summary>
    public X509Certificate2 Certificate => _certificate;

    /// <summary>What a generated client is made from.</summary>
    public ChannelBase Calls => _channel;

    /// <summary>When a call that begins now must have been answered.</summary>
    public DateTime Deadline => DeadlineIn(CallDeadline);

    /// <summary>The same for a call that may take another time.</summary>
    public DateTime DeadlineIn(TimeSpan longest) => _time.GetUtcNow().UtcDateTime + longest;

    /// <summary>Does a call and turns every way in which gRPC says that the connection is gone into one.</summary>
    /// <exception cref="ConnectionLostException">The connection could not be made or broke.</exception>
    public static async Task<T> ConnectedAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (RpcException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (RpcException error)
        {
            throw new ConnectionLostException(Explain(error), error);
        }
        catch (TransferStalledException error)
        {
            throw new ConnectionLostException(error.Message.TrimEnd('.'), error);
        }
    }

    /// <summary>Puts a renewed certificate in the place of the old one, in the settings' file and for connections made from now on.</summary>
    /// <param name="certificatePem">The certificate.</param>
    /// <param name="issuerPem">Of the issuing authority that signed it; believed only as far as an authority that this site trusts vouches for it.</param>
    /// <exception cref="InvalidDataException">
    /// It is not for this site's name and key, not in its time or not for longer than the old one, or no authority that this site trusts vouches for it; the old one stays.
    /// </exception>
    /// <exception cref="IOException">It could not be written; the old one stays.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Renew(string certificatePem, string issuerPem)
    {
        X509Certificate2 renewed;
        var issuers = new X509Certificate2Collection();
        try
        {
            issuers.ImportFromPem(issuerPem);
            renewed = X509Certificate2.CreateFromPem(certificatePem, File.ReadAllText(_keyPath));
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException("the renewed certificate is none for this site's key", error);
        }

        using (renewed)
        {
            if (renewed.Subject != _certificate.Subject) throw new InvalidDataException($"the renewed certificate is for {renewed.Subject}");
            if (renewed.NotAfter <= _certificate.NotAfter) throw new InvalidDataException("the renewed certificate ends no later than the one there is");
            if (!MutualTls.IsTrusted(renewed, _trust.Roots, MutualTls.ClientAuthentication, issuers, _time.GetUtcNow()))
            {
                throw new InvalidDataException(
                    "the renewed certificate is not in its time, or no authority that this site trusts vouches for it; one that follows another is trusted after 'fedseg provision accept'");
            }

            DurableFile.Write(_certificatePath, Encoding.ASCII.GetBytes(renewed.ExportCertificatePem()));
        }

        // The old one is not disposed: a handshake may be using it.
        _certificate = KeyFiles.LoadCertificate(_certificatePath, _keyPath);
    }

    public void Dispose()
    {
        _channel.Dispose();
        _certificate.Dispose();
    }

    private static string Explain(RpcException error) => error.StatusCode switch
    {
        StatusCode.PermissionDenied or StatusCode.Unauthenticated =>
            "it does not accept this site's certificate; ask the federation's authority whether the site is in the register",
        StatusCode.Unavailable when error.Status.DebugException?.GetBaseException() is { } cause => cause.Message.TrimEnd('.'),
        _ => error.Status.Detail.TrimEnd('.'),
    };
}
