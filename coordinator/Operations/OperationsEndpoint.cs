using System.Net;
using FedSeg.Coordinator.Connections;
using FedSeg.Coordinator.Rounds;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;

namespace FedSeg.Coordinator.Operations;

/// <summary>
/// The operators' own port, off unless <c>Coordinator:Operations</c> names one: <c>/health/live</c>, <c>/health/ready</c> and <c>/metrics</c> over plain HTTP. A server of
/// its own, because on the federation's port nobody is let in without a certificate, and here nothing of the federation is to be had.
/// </summary>
internal sealed class OperationsEndpoint(
    IOptions<CoordinatorOptions> options, MeterProvider meters, DataFolderCheck dataFolder, BucketCheck bucket, ServerCertificate certificate, ILoggerFactory loggers)
        : IHostedService
{
    private WebApplication? _server;

    /// <summary>Where it listens, once started.</summary>
    public Uri? Address { get; private set; }

    /// <summary>What it answers to, once started.</summary>
    internal IEnumerable<string> Routes =>
        _server?.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Select(endpoint => endpoint.RoutePattern.RawText!) ?? [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.Operations.Length == 0) return;
        if (!IPEndPoint.TryParse(options.Value.Operations, out var endpoint))
        {
            throw new InvalidDataException($"Coordinator:Operations is '{options.Value.Operations}'; give an address and port, such as 127.0.0.1:9464.");
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddHealthChecks().AddCheck("data-folder", dataFolder).AddCheck("bucket", bucket).AddCheck("certificate", certificate);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 64;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(endpoint, listen => listen.Protocols = HttpProtocols.Http1);
        });
        _server = builder.Build();
        // Live: it answers. Ready: it can also store what it acknowledges, and sites can believe who it is.
        _server.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        _server.MapHealthChecks("/health/ready");
        _server.MapPrometheusScrapingEndpoint("/metrics", meters, configureBranchedPipeline: null, optionsName: null);
        await _server.StartAsync(cancellationToken);
        Address = new Uri(_server.Urls.Single());
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_server is null) return;
        await _server.StopAsync(cancellationToken);
        await _server.DisposeAsync();
    }
}

/// <summary>
/// Whether the data folder takes a file, has room for what open runs wait for, and for an update of the largest size. A full disk still takes a
/// file without bytes, so only the room tells it.
/// </summary>
internal sealed class DataFolderCheck(IOptions<CoordinatorOptions> options, RunBook book) : IHealthCheck
{
    /// <summary>Bytes for journal, ledger and files that are replaced by writing them anew; an awaited update comes on top.</summary>
    public const long LeastRoom = 64 << 20;

    /// <summary>Bytes that are left for this program on a folder's disk.</summary>
    internal Func<string, long> FreeBytes { get; set; } = folder => new DriveInfo(folder).AvailableFreeSpace;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var folder = options.Value.DataDirectory;
        var probe = Path.Combine(folder, $".ready-{Guid.NewGuid():N}");
        try
        {
            using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose)) { }
            var free = FreeBytes(Path.GetFullPath(folder));
            var needed = LeastRoom + book.Runs.Max(run => run.OpenRound?.Plan.UpdateBytes()).GetValueOrDefault();
            if (free < needed)
            {
                return Task.FromResult(HealthCheckResult.Unhealthy($"The data folder has {free} bytes left; {needed} are needed."));
            }

            return Task.FromResult(free >= options.Value.MaximumUpdateBytes
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Degraded($"The data folder has {free} bytes left; an update may have {options.Value.MaximumUpdateBytes}."));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Task.FromResult(HealthCheckResult.Unhealthy("The data folder can't be written."));
        }
    }
}
