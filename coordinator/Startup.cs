using System.Threading.RateLimiting;
using FedSeg.Coordinator.Blind;
using FedSeg.Coordinator.Connections;
using FedSeg.Coordinator.Grpc;
using FedSeg.Coordinator.Jobs;
using FedSeg.Coordinator.Journal;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Coordinator.Operations;
using FedSeg.Coordinator.People;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Sites;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Programs;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FedSeg.Coordinator;

/// <summary>One extension per feature, so that Program.cs reads as a table of contents.</summary>
internal static class Startup
{
    public static void AddCoordinatorOptions(this WebApplicationBuilder builder, string[] args)
    {
        builder.Services.AddSingleton<IValidateOptions<CoordinatorOptions>, CoordinatorOptionsValidator>();
        builder.Services.AddSingleton<IValidateOptions<CoordinatorOptions>, EnrolmentValidator>();
        builder.Services.AddSingleton<IValidateOptions<CoordinatorOptions>, ChartersValidator>();
        builder.Services.AddSingleton<IValidateOptions<CoordinatorOptions>, BucketValidator>();
        builder.Services.AddSingleton<IValidateOptions<CoordinatorOptions>, OpenIdValidator>();
        builder.Services.AddOptions<CoordinatorOptions>()
            .BindConfiguration(CoordinatorOptions.Section, binder => binder.ErrorOnUnknownConfiguration = true)
            .PostConfigure(options => options.ResolvePaths(path => ServiceProgram.ResolvePath(args, path)))
            .ValidateOnStart();
    }

    /// <summary>gRPC over HTTP/2 with mutual TLS 1.3, and limits that a hostile caller can't talk away.</summary>
    public static void AddFederationEndpoint(this WebApplicationBuilder builder)
    {
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = 1 << 20;
            grpc.EnableDetailedErrors = false;
        }).AddServiceOptions<EnrolmentService>(enrolment => enrolment.MaxReceiveMessageSize = EnrolmentService.LongestMessage);
        // Neither models nor updates get shorter by it, and nobody has to unpack what a stranger packed. Afterwards, because gRPC adds its own provider to an empty list.
        builder.Services.PostConfigure<GrpcServiceOptions>(grpc => grpc.CompressionProviders.Clear());
        MemberAuthentication.Add(builder.Services);
        builder.Services.AddSingleton<IConfigureOptions<RateLimiterOptions>, CallsPerMember>().AddRateLimiter();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddSingleton<PlanSigning>().AddSingleton<ServerCertificate>().AddHostedService(provider => provider.GetRequiredService<ServerCertificate>());
        builder.Services.AddSingleton<IConfigureOptions<KestrelServerOptions>, FederationEndpoint>();
    }

    /// <summary>Whether the call is meant, who calls, whether it may, whether it has too much open; then the doors.</summary>
    public static void UseFederation(this WebApplication app)
    {
        app.Services.GetRequiredService<CoordinatorTelemetry>()
            .Observe(app.Services.GetRequiredService<RunBook>(), app.Services.GetRequiredService<SiteDirectory>(), app.Services.GetRequiredService<SiteTurnBook>());
        app.Use(ConnectionLimits.FollowAsync);
        app.UseAuthentication();
        app.Use(app.Services.GetRequiredService<LiveCalls>().FollowAsync);
        app.UseRateLimiter();
        app.UseAuthorization();
        app.MapGrpcService<FederationService>();
        app.MapGrpcService<BlindService>();
        app.MapGrpcService<RunsService>();
        app.MapGrpcService<LedgersService>();
        if (app.Services.GetRequiredService<IOptions<CoordinatorOptions>>().Value.Enrolment.IsOn) app.MapGrpcService<EnrolmentService>();
    }

    public static IServiceCollection AddSites(this IServiceCollection services) =>
        services
        .AddSingleton(provider => new FederationTrust(provider.GetRequiredService<IOptions<CoordinatorOptions>>().Value.Authority, provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<MemberTrust>()
        .AddSingleton<MemberRegister>().AddSingleton<SiteDirectory>().AddSingleton<CertificateRenewals>().AddSingleton<LiveCalls>().AddHostedService(provider => provider.GetRequiredService<LiveCalls>());

    public static IServiceCollection AddLedger(this IServiceCollection services) => services.AddSingleton<CoordinatorLedger>();

    public static IServiceCollection AddModels(this IServiceCollection services) => services.AddSingleton(provider =>
    {
        var settings = provider.GetRequiredService<IOptions<CoordinatorOptions>>().Value;
        var time = provider.GetRequiredService<TimeProvider>();
        return new BlobStore(settings.DataDirectory, settings.Bucket.IsOn ? new BlobBucket(settings.Bucket, time) : null);
    });

    public static IServiceCollection AddRounds(this IServiceCollection services) => services
        .AddSingleton(provider => OpenJournal(provider.GetRequiredService<IOptions<CoordinatorOptions>>().Value, provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<RunLog>()
        .AddSingleton<RunBook>()
        .AddSingleton<SiteTurnBook>()
        .AddSingleton<BlindRounds>()
        .AddHostedService(provider => provider.GetRequiredService<BlindRounds>())
        .AddSingleton<UpdateIntake>()
        .AddSingleton<RoundRunner>()
        .AddHostedService<UpdateRetention>()
        .AddHostedService<RoundScheduler>();

    /// <summary>Traces and metrics: asked for at the operators' port, or sent to their collector.</summary>
    public static void AddOperations(this WebApplicationBuilder builder)
    {
        var collector = builder.Configuration["Coordinator:Collector"] ?? "";
        if (collector.Length > 0 && !Uri.TryCreate(collector, UriKind.Absolute, out _))
        {
            throw new InvalidDataException($"Coordinator:Collector is '{collector}'; give a URL, such as http://127.0.0.1:4317.");
        }

        builder.Services.AddSingleton<CoordinatorTelemetry>().AddSingleton<DataFolderCheck>().AddSingleton<BucketCheck>();
        builder.Services.AddSingleton<OperationsEndpoint>().AddHostedService(provider => provider.GetRequiredService<OperationsEndpoint>());
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("fedseg-coordinator"))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(CoordinatorTelemetry.Name, "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel").AddPrometheusExporter();
                if (collector.Length > 0) metrics.AddOtlpExporter(otlp => otlp.Endpoint = new Uri(collector));
            })
            .WithTracing(traces =>
            {
                traces.AddSource(CoordinatorTelemetry.Name);
                if (collector.Length > 0) traces.AddOtlpExporter(otlp => otlp.Endpoint = new Uri(collector));
            });
    }

    public static IServiceCollection AddJobs(this IServiceCollection services) => services.AddSingleton<StudyCharters>().AddSingleton<JobCatalog>();

    private static IRunJournal OpenJournal(CoordinatorOptions options, TimeProvider time) =>
        options.Journal.Length == 0 ? new SqliteJournal(options.DataDirectory) : new PostgresJournal(options.Journal, time);

    /// <summary>
    /// One member can't take the places of all others: what it has open beyond its share is told to come back later, which gRPC reads as
    /// unavailable. Nor can one stranger take those of all strangers: who has no name has the share of an address.
    /// </summary>
    private sealed class CallsPerMember(IOptions<CoordinatorOptions> settings) : IConfigureOptions<RateLimiterOptions>
    {
        public void Configure(RateLimiterOptions limiter)
        {
            var calls = settings.Value.MaximumCallsPerMember;
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, (string?, string)>(call => RateLimitPartition.GetConcurrencyLimiter(
                call.User.Identity?.Name is { } name ? (name, "") : (null, ConnectionLimits.AddressOf(call)),
                _ => new ConcurrencyLimiterOptions { PermitLimit = calls, QueueLimit = 0 }));
        }
    }
}
