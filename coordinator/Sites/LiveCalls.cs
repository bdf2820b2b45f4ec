using System.Collections.Concurrent;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Coordinator.Sites;

/// <summary>
/// The calls that members have under way: attendances, uploads, downloads, watches. A call is judged when it begins; a certificate that is revoked or ends later is found
/// here, and the call is cut at most <see cref="Interval"/> after that.
/// </summary>
internal sealed partial class LiveCalls(MemberRegister register, TimeProvider time, ILogger<LiveCalls> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<HttpContext, string> _calls = [];

    /// <summary>Keeps a call in view for as long as it lasts.</summary>
    public async Task FollowAsync(HttpContext call, RequestDelegate next)
    {
        if (call.Connection.ClientCertificate is { } certificate) _calls[call] = MutualTls.Thumbprint(certificate);
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
        foreach (var (call, thumbprint) in _calls)
        {
            if (members.Find(thumbprint) is { } member && now <= member.NotAfter) continue;
            LogCut(thumbprint);
            call.Abort();
        }
    }

    [LoggerMessage(212, LogLevel.Warning, "Cut a call under way: its certificate {Thumbprint} was revoked or has ended")]
    private partial void LogCut(string thumbprint);
}
