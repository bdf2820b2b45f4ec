using FedSeg.Hosting.Programs;
using FedSeg.SiteAgent;
using FedSeg.SiteAgent.Cohort;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// fedseg-agent preflight --settings FILE: say what a run could use of the cohort, and end.
if (args is ["preflight", .. var settings])
{
    return await ServiceProgram.RunAsync(
        () => Build(settings),
        host => host.Services.GetRequiredService<Preflight>().PrintAsync(Console.Out, CancellationToken.None));
}

return await ServiceProgram.RunAsync(() => Build(args));

static IHost Build(string[] args)
{
    var builder = Host.CreateEmptyApplicationBuilder(null);
    ServiceProgram.Configure(builder, args);
    builder.Services.AddSingleton(TimeProvider.System);
    builder.Services.AddAgentOptions(args).AddTrainer().AddEgress().AddCoordinatorClient().AddAssignments();
    return builder.Build();
}
