using FedSeg.Coordinator;
using FedSeg.Coordinator.Rounds;
using FedSeg.Hosting.Faults;
using FedSeg.Hosting.Programs;

if (args is [RecomputeProgram.Verb, var dataDirectory, var model, .. var journal] && journal.Length <= 1)
{
    return await ServiceProgram.ExplainAsync(() =>
        Task.FromResult(RecomputeProgram.Run(dataDirectory, model, journal.FirstOrDefault() ?? "", CancellationToken.None)));
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
