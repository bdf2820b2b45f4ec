using FedSeg.Coordinator;
using FedSeg.Coordinator.Rounds;
using FedSeg.Hosting.Faults;
using FedSeg.Hosting.Programs;

if (args is [RecomputeProgram.Verb, var model, .. var source])
{
    return await ServiceProgram.ExplainAsync(() => Task.FromResult(RecomputeProgram.Run(model, source, CancellationToken.None)));
}

return await ServiceProgram.RunAsync(() =>
{
    var builder = WebApplication.CreateSlimBuilder();
    ServiceProgram.Configure(builder, args);
    builder.AddCoordinatorOptions(args);
    builder.AddFederationEndpoint();
    builder.AddOperations();
    builder.Services.AddSingleton(TimeProvider.System).AddSingleton(Failpoints.FromEnvironment(RoundSteps.OfCoordinator));
    builder.Services.AddSites().AddLedger().AddModels().AddRounds().AddJobs();

    var app = builder.Build();
    app.UseFederation();
    return app;
});
