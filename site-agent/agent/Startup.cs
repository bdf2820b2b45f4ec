using FedSeg.Egress;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Programs;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Storage;
using FedSeg.SiteAgent.Assignments;
using FedSeg.SiteAgent.Cohort;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

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

    public static IServiceCollection AddTrainer(this IServiceCollection services) => services.AddSingleton<TrainerHost>().AddSingleton<Preflight>();

    public static IServiceCollection AddEgress(this IServiceCollection services)
    {
        services.AddSingleton(provider =>
        {
            var settings = provider.GetRequiredService<IOptions<AgentOptions>>().Value;
            var ledger = Path.Combine(settings.DataDirectory, "ledger");
            Directory.CreateDirectory(settings.DataDirectory);
            // The writer signs for as long as it lives, so the key lives as long as the program.
            var key = LedgerKeyFile.OpenOrCreate(Path.Combine(settings.DataDirectory, "ledger.key"));
            return LedgerWriter.Open(ledger, $"fedseg/site/{settings.Site}", key, provider.GetRequiredService<TimeProvider>());
        });
        return services.AddSingleton(provider =>
        {
            var settings = provider.GetRequiredService<IOptions<AgentOptions>>().Value;
            var egress = new EgressOptions
            {
                Site = SiteId.Parse(settings.Site),
                Recipient = settings.Coordinator,
                PolicyPath = settings.EgressPolicy,
                OutboxDirectory = Path.Combine(settings.DataDirectory, "outbox"),
            };
            return new EgressGate(egress, provider.GetRequiredService<LedgerWriter>());
        });
    }

    public static IServiceCollection AddCoordinatorClient(this IServiceCollection services) => services.AddSingleton<CoordinatorClient>();

    public static IServiceCollection AddAssignments(this IServiceCollection services) =>
        services.AddSingleton<RoundWork>().AddHostedService<AssignmentLoop>();
}
