using FedSeg.Hosting.Programs;
using FedSeg.SiteAgent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

return await ServiceProgram.RunAsync(() =>
{
    var builder = Host.CreateEmptyApplicationBuilder(null);
    ServiceProgram.Configure(builder, args);
    builder.Services.AddSingleton(TimeProvider.System);
    builder.Services.AddAgentOptions(args).AddTrainer().AddLedger().AddEgress().AddCoordinatorClient().AddAssignments();
    return builder.Build();
});
