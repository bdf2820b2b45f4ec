using FedSeg.Coordinator;
using FedSeg.Coordinator.Grpc;
using FedSeg.Coordinator.Jobs;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Sites;
using FedSeg.Hosting.Programs;

return await ServiceProgram.RunAsync(() =>
{
    var builder = WebApplication.CreateSlimBuilder();
    ServiceProgram.Configure(builder, args);
    builder.AddCoordinatorOptions(args);
    builder.AddFederationEndpoint();
    builder.Services.AddSingleton(TimeProvider.System);
    builder.Services.AddSites().AddLedger().AddModels().AddRounds().AddJobs();

    var app = builder.Build();
    app.UseAuthentication();
    app.UseAuthorization();
    app.MapGrpcService<FederationService>();
    app.MapGrpcService<RunsService>();
    app.MapGrpcService<LedgersService>();
    return app;
});
