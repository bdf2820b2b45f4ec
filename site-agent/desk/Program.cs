using FedSeg.Desk;
using FedSeg.Hosting.Programs;

// FedSeg.Desk --settings FILE   the officer's page beside the site's agent; the same settings file, section Desk
return await ServiceProgram.RunAsync(() =>
{
    var builder = WebApplication.CreateSlimBuilder();
    ServiceProgram.Configure(builder, args);
    builder.AddDeskOptions(args);
    builder.AddDeskEndpoint();
    builder.Services.AddSingleton(TimeProvider.System);
    builder.Services.AddDesk().AddAccounts().AddPages();
    builder.AddProvider();

    var app = builder.Build();
    app.UseDesk();
    return app;
});
