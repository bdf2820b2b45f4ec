using FedSeg.Hosting.Programs;
using FedSeg.Importer;
using FedSeg.Importer.Imports;
using FedSeg.Importer.Push;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// FedSeg.Importer              --settings FILE   imports on a schedule until it is stopped
// FedSeg.Importer import       --settings FILE   imports once
// FedSeg.Importer push FILE…   --settings FILE   stores segmentations in the PACS
var line = ImporterCommandLine.Split(args);
return line.Verb switch
{
    "import" => await ServiceProgram.RunAsync(() => Build().Build(), SingleImport.RunAsync),
    "push" => await ServiceProgram.RunAsync(
        () => Build().Build(), (services, stop) => SegmentationPush.RunAsync(services, line.Files, stop)),
    _ => await ServiceProgram.RunAsync(() =>
    {
        var builder = Build();
        builder.Services.AddSchedule();
        return builder.Build();
    }),
};

HostApplicationBuilder Build()
{
    line.Check();
    var builder = Host.CreateEmptyApplicationBuilder(null);
    ServiceProgram.Configure(builder, line.Switches);
    builder.Services.AddSingleton(TimeProvider.System);
    // One-off work prints its own lines.
    builder.Services.Configure<ConsoleLifetimeOptions>(lifetime => lifetime.SuppressStatusMessages = line.Verb.Length > 0);
    builder.Services.AddImporterOptions(line.Switches).AddPacs().AddImports();
    return builder;
}
