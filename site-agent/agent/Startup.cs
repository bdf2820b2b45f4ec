using System.Security.Cryptography;
using FedSeg.Egress;
using FedSeg.Egress.Review;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Faults;
using FedSeg.Hosting.Programs;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Witnessing;
using FedSeg.SiteAgent.Assignments;
using FedSeg.SiteAgent.Cohort;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Coordinator.Pace;
using FedSeg.SiteAgent.Ledgers;
using FedSeg.SiteAgent.Operations;
using FedSeg.SiteAgent.Review;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FedSeg.SiteAgent;

/// <summary>One extension per feature, so that Program.cs reads as a table of contents.</summary>
internal static class Startup
{
    public static IServiceCollection AddAgentOptions(this IServiceCollection services, string[] args)
    {
        services.AddSingleton<IValidateOptions<AgentOptions>, AgentOptionsValidator>();
        services.AddSingleton<IValidateOptions<AgentOptions>, AgentPathsValidator>();
        services.AddOptions<AgentOptions>()
            .BindConfiguration("Agent", binder => binder.ErrorOnUnknownConfiguration = true)
            .PostConfigure(options =>
            {
                string Resolve(string path) => path.Length == 0 ? path : ServiceProgram.ResolvePath(args, path);
                options.Certificate = Resolve(options.Certificate);
                options.PrivateKey = Resolve(options.PrivateKey);
                options.Authority = Resolve(options.Authority);
                options.DataDirectory = Resolve(options.DataDirectory);
                options.EgressPolicy = Resolve(options.EgressPolicy);
                options.Cohort.Directory = Resolve(options.Cohort.Directory);
                options.Trainer.Path = options.Trainer.Path.Length > 0 ? Resolve(options.Trainer.Path) : ProgramFiles.Find("FedSeg.Trainer");
            })
            .ValidateOnStart();
        return services;
    }

    /// <summary>Traces and metrics, for a collector on this machine if there is one.</summary>
    public static void AddOperations(this IHostApplicationBuilder builder)
    {
        builder.Services.AddMetrics().AddSingleton<AgentTelemetry>();
        // Read before the options are bound, which validate it.
        if (new AgentOptions { Collector = builder.Configuration["Agent:Collector"] ?? "" }.CollectorOnThisMachine is not { } address) return;
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("fedseg-agent"))
            .WithMetrics(metrics => metrics.AddMeter(AgentTelemetry.Name, "System.Runtime").AddOtlpExporter(otlp => otlp.Endpoint = address))
            .WithTracing(traces => traces.AddSource(AgentTelemetry.Name).AddOtlpExporter(otlp => otlp.Endpoint = address));
    }

    public static IServiceCollection AddTrainer(this IServiceCollection services) =>
        services.AddSingleton<SitePace>().AddSingleton<TrainerHost>().AddSingleton<Preflight>();

    public static IServiceCollection AddLedger(this IServiceCollection services)
    {
        // Writer and witness sign for as long as they live, so the key lives as long as the program.
        services.AddSingleton(provider =>
        {
            var data = provider.GetRequiredService<IOptions<AgentOptions>>().Value.DataDirectory;
            return LedgerKeyFile.OpenOrCreate(Path.Combine(Directory.CreateDirectory(data).FullName, "ledger.key"));
        });
        services.AddSingleton(provider =>
        {
            var settings = provider.GetRequiredService<IOptions<AgentOptions>>().Value;
            var name = LedgerNames.OfSite(settings.Site);
            return LedgerWriter.Open(Path.Combine(settings.DataDirectory, "ledger"), name, provider.GetRequiredService<ECDsa>(), provider.GetRequiredService<TimeProvider>());
        });
        services.AddSingleton(provider =>
        {
            var settings = provider.GetRequiredService<IOptions<AgentOptions>>().Value;
            var name = LedgerNames.OfSite(settings.Site);
            return new Witness(Path.Combine(settings.DataDirectory, "witnessed"), name, provider.GetRequiredService<ECDsa>(), provider.GetRequiredService<TimeProvider>());
        });
        return services.AddSingleton<LedgerPeer>().AddSingleton<LedgerExchange>();
    }

    public static IServiceCollection AddEgress(this IServiceCollection services) => services.AddSingleton(provider =>
    {
        var settings = provider.GetRequiredService<IOptions<AgentOptions>>().Value;
        var egress = new EgressOptions
        {
            Site = SiteId.Parse(settings.Site),
            Recipient = settings.Coordinator,
            PolicyPath = settings.EgressPolicy,
            OutboxDirectory = Path.Combine(settings.DataDirectory, "outbox"),
            DeskDirectory = DeskClient.FolderOf(settings.DataDirectory),
            AuthorityPath = settings.Authority,
        };
        return new EgressGate(
            egress,
            provider.GetRequiredService<LedgerWriter>(),
            provider.GetRequiredService<TimeProvider>(),
            RandomNumberGenerator.Create(),
            provider.GetRequiredService<Failpoints>());
    });

    /// <summary>Before whatever it may have to stop: orders given while no agent ran are obeyed first.</summary>
    public static IServiceCollection AddReviewDesk(this IServiceCollection services) => services
        .AddSingleton(provider => new OrderBox(DeskClient.OrdersOf(provider.GetRequiredService<IOptions<AgentOptions>>().Value.DataDirectory)))
        .AddSingleton<DeskWatch>()
        .AddSingleton(provider => provider.GetRequiredService<EgressGate>().Desk.Switch)
        .AddHostedService(provider => provider.GetRequiredService<DeskWatch>());

    public static IServiceCollection AddCoordinatorClient(this IServiceCollection services) =>
        services.AddSingleton<CoordinatorChannel>().AddSingleton<CoordinatorClient>().AddSingleton<BlindPeer>().AddHostedService<CertificateRenewer>();

    public static IServiceCollection AddAssignments(this IServiceCollection services) =>
        services
        .AddSingleton(provider => new ReadySlots(
            provider.GetRequiredService<IOptions<AgentOptions>>(), provider.GetRequiredService<TimeProvider>(), RandomNumberGenerator.Create(), provider.GetRequiredService<ILogger<ReadySlots>>()))
        .AddSingleton<BlindContribution>().AddSingleton<RoundWork>().AddHostedService<AssignmentLoop>();
}
