using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.People;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Coordinator.Sites;

/// <summary>
/// The calls that members have under way: attendances, uploads, downloads, watches. A call is judged when it begins; a certificate that is revoked or ends later, or whose
/// authority does, and a token whose time is over, are found here, and the call is cut at most <see cref="Interval"/> after that.
/// </summary>
internal sealed partial class LiveCalls(MemberRegister register, MemberTrust trust, TokenPeople people, TimeProvider time, ILogger<LiveCalls> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<HttpContext, Func<FederationRegister, DateTimeOffset, bool>> _calls = [];

    /// <summary>Keeps a call in view for as long as it lasts.</summary>
    public async Task FollowAsync(HttpContext call, RequestDelegate next)
    {
        if (call.Connection.ClientCertificate is { } certificate) _calls[call] = (members, now) => IsMember(certificate, members, now);
        else if (TokenPeople.HasToken(call.User)) _calls[call] = (_, now) => people.IsGood(call.User, now);
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
        foreach (var (call, isGood) in _calls)
        {
            try
            {
                if (isGood(members, now)) continue;
                LogCut(call.User.Identity?.Name ?? "");
                call.Abort();
            }
            catch (ObjectDisposedException)
            {
                // It ended by itself meanwhile; the others are still to be looked at.
            }
        }
    }

    private bool IsMember(X509Certificate2 certificate, FederationRegister members, DateTimeOffset now) =>
        members.Find(MutualTls.Thumbprint(certificate)) is { } member && now <= member.NotAfter && trust.IsTrusted(certificate);

    [LoggerMessage(212, LogLevel.Warning, "Cut a call of {Caller} that was under way: the certificate or the person was revoked, or certificate, token or authority has ended")]
    private partial void LogCut(string caller);
}
