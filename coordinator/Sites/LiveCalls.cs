using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Coordinator.Sites;

/// <summary>
/// The calls that members have under way: attendances, uploads, downloads, watches. A call is judged when it begins; a certificate that is revoked or ends later, or whose
/// authority does, is found here, and the call is cut at most <see cref="Interval"/> after that.
/// </summary>
internal sealed partial class LiveCalls(MemberRegister register, MemberTrust trust, TimeProvider time, ILogger<LiveCalls> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<HttpContext, X509Certificate2> _calls = [];

    /// <summary>Keeps a call in view for as long as it lasts.</summary>
    public async Task FollowAsync(HttpContext call, RequestDelegate next)
    {
        if (call.Connection.ClientCertificate is { } certificate) _calls[call] = certificate;
        try
        {
            await next(call);
        }
        finally
        {
            _calls.TryRemove(call, out _);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) Cut();
    }

    private void Cut()
    {
        var members = register.Current;
        var now = time.GetUtcNow();
        foreach (var (call, certificate) in _calls)
        {
            var thumbprint = MutualTls.Thumbprint(certificate);
            if (members.Find(thumbprint) is { } member && now <= member.NotAfter && trust.IsTrusted(certificate)) continue;
            LogCut(thumbprint);
            call.Abort();
        }
    }

    [LoggerMessage(212, LogLevel.Warning, "Cut a call under way: its certificate {Thumbprint} was revoked, or it has ended or its authority has")]
    private partial void LogCut(string thumbprint);
}
