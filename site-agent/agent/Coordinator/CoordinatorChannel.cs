using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;
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

    public CoordinatorChannel(IOptions<AgentOptions> options, TimeProvider time)
    {
        var settings = options.Value;
        _time = time;
        Certificate = KeyFiles.LoadCertificate(settings.Certificate, settings.PrivateKey);
        var authority = KeyFiles.LoadAuthority(settings.Authority);
        _channel = GrpcChannel.ForAddress(settings.Coordinator, new GrpcChannelOptions
        {
            HttpHandler = MutualTls.CreateClientHandler(Certificate, authority),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 1 << 20,
        });
    }

    /// <summary>The site's certificate, with its key.</summary>
    public X509Certificate2 Certificate { get; }

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
    }

    public void Dispose()
    {
        _channel.Dispose();
        Certificate.Dispose();
    }

    private static string Explain(RpcException error) => error.StatusCode switch
    {
        StatusCode.PermissionDenied or StatusCode.Unauthenticated =>
            "it does not accept this site's certificate; ask the federation's authority whether the site is in the register",
        StatusCode.Unavailable when error.Status.DebugException?.GetBaseException() is { } cause => cause.Message.TrimEnd('.'),
        _ => error.Status.Detail.TrimEnd('.'),
    };
}
