using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.Operations;
using FedSeg.Hosting.Certificates;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Connections;

/// <summary>
/// The certificate that the coordinator shows at its doors. A new one in the file counts from the next handshake on, without a restart; connections that are there go on. A file
/// that can't be used leaves the old one in its place. Says in log, health and metrics when it is about to end.
/// </summary>
internal sealed partial class ServerCertificate : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5), LongestNotice = TimeSpan.FromDays(30), SayAgain = TimeSpan.FromDays(1);

    private readonly string _certificatePath, _keyPath;
    private readonly FederationTrust _trust;
    private readonly TimeProvider _time;
    private readonly ILogger<ServerCertificate> _logger;
    private (DateTime, DateTime) _loaded, _refused;
    private DateTimeOffset _said = DateTimeOffset.MinValue;
    private volatile X509Certificate2 _current;

    /// <exception cref="InvalidDataException">A file is missing or is not what it should be.</exception>
    public ServerCertificate(
        IOptions<CoordinatorOptions> options, FederationTrust trust, CoordinatorTelemetry telemetry, TimeProvider time, ILogger<ServerCertificate> logger)
    {
        (_certificatePath, _keyPath) = (options.Value.Certificate, options.Value.PrivateKey);
        (_trust, _time, _logger) = (trust, time, logger);
        _loaded = Version;
        _current = KeyFiles.LoadCertificate(_certificatePath, _keyPath);
        telemetry.ObserveCertificate(() => Left);
    }

    /// <summary>What is shown now, with its key.</summary>
    public X509Certificate2 Current => _current;

    private TimeSpan Left => _current.NotAfter - _time.GetUtcNow();

    /// <summary>A third of its life, and not more than a month.</summary>
    private TimeSpan Notice => TimeSpan.FromTicks(Math.Min((_current.NotAfter - _current.NotBefore).Ticks / 3, LongestNotice.Ticks));

    private (DateTime, DateTime) Version => (File.GetLastWriteTimeUtc(_certificatePath), File.GetLastWriteTimeUtc(_keyPath));

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var ends = $"The coordinator's certificate ends {_current.NotAfter.ToUniversalTime():u}; 'fedseg provision renew-coordinator' makes another one.";
        return Task.FromResult(Left <= TimeSpan.Zero ? HealthCheckResult.Unhealthy(ends) : Left < Notice ? HealthCheckResult.Degraded(ends) : HealthCheckResult.Healthy());
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        do
        {
            Reread();
            Warn();
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Asked again as long as the file differs: it may be there in two steps, or before the authority that signed it counts.</summary>
    private void Reread()
    {
        var version = Version;
        if (version == _loaded) return;
        try
        {
            var next = KeyFiles.LoadCertificate(_certificatePath, _keyPath);
            if (MutualTls.IsTrusted(next, _trust.Roots, MutualTls.ServerAuthentication, at: _time.GetUtcNow()))
            {
                // The old one is not disposed: a handshake may be using it.
                (_current, _loaded, _said) = (next, version, DateTimeOffset.MinValue);
                LogTaken(MutualTls.Thumbprint(next), next.NotAfter.ToUniversalTime());
                return;
            }

            next.Dispose();
            Refuse(version, "no authority that counts signed it for a coordinator, or it is not in its time");
        }
        catch (InvalidDataException error)
        {
            Refuse(version, error.Message);
        }
    }

    private void Refuse((DateTime, DateTime) version, string problem)
    {
        if (version == _refused) return;
        _refused = version;
        LogRefused(_certificatePath, problem);
    }

    private void Warn()
    {
        var now = _time.GetUtcNow();
        if (Left >= Notice || now - _said < SayAgain) return;
        _said = now;
        LogEnds(_current.NotAfter.ToUniversalTime());
    }

    [LoggerMessage(222, LogLevel.Information, "The coordinator shows its new certificate {Thumbprint} from now on; it ends {Ends:u}")]
    private partial void LogTaken(string thumbprint, DateTime ends);

    [LoggerMessage(223, LogLevel.Error, "The coordinator keeps its old certificate, because the new one in {Path} can't be used: {Problem}")]
    private partial void LogRefused(string path, string problem);

    [LoggerMessage(224, LogLevel.Warning, "The coordinator's certificate ends {Ends:u}, and no site accepts it after that; 'fedseg provision renew-coordinator' makes another one")]
    private partial void LogEnds(DateTime ends);
}
