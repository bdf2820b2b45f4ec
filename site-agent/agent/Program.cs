using FedSeg.Hosting.Faults;
using FedSeg.Hosting.Programs;
using FedSeg.SiteAgent;
using FedSeg.SiteAgent.Cohort;
using FedSeg.SiteAgent.Review;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// FedSeg.SiteAgent            --settings FILE   takes part in the federation until it is stopped
// FedSeg.SiteAgent preflight  --settings FILE   says what a run could use of the cohort, and ends
// FedSeg.SiteAgent review …   --settings FILE   shows what waits for a person, and takes that person's orders
if (args is ["review", .. var verb]) return await ReviewCommands.RunAsync(verb, settings => Builder(settings));

if (args is ["preflight", .. var settings])
{
    return await ServiceProgram.RunAsync(
        () =>
        {
            var builder = Builder(settings);
            builder.Services.Configure<ConsoleLifetimeOptions>(lifetime => lifetime.SuppressStatusMessages = true);
            return builder.Build();
        },
        Preflight.RunAsync);
}

return await ServiceProgram.RunAsync(() =>
{
    var builder = Builder(args);
    builder.AddOperations();
    builder.Services.AddLedger().AddEgress().AddReviewDesk().AddCoordinatorClient().AddAssignments();
    return builder.Build();
});

static HostApplicationBuilder Builder(string[] args)
{
    var builder = Host.CreateEmptyApplicationBuilder(null);
    ServiceProgram.Configure(builder, args);
    builder.Services.AddSingleton(TimeProvider.System).AddSingleton(Failpoints.FromEnvironment(RoundSteps.OfAgent));
    builder.Services.AddAgentOptions(args).AddTrainer();
    return builder;
}
