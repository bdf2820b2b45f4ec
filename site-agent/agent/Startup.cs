using FedSeg.Egress;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Programs;
using FedSeg.SiteAgent.Assignments;
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

    public static IServiceCollection AddTrainer(this IServiceCollection services) => services.AddSingleton<TrainerHost>();

    public static IServiceCollection AddCoordinatorClient(this IServiceCollection services) => services.AddSingleton<CoordinatorClient>();

    public static IServiceCollection AddAssignments(this IServiceCollection services) =>
        services.AddSingleton<RoundWork>().AddHostedService<AssignmentLoop>();
}
