using FedSeg.Hosting.Programs;
using FedSeg.Importer.Pacs;
using Microsoft.Extensions.DependencyInjection;

namespace FedSeg.Importer.Imports;

/// <summary><c>FedSeg.Importer import</c>: one import, and what became of it as exit code.</summary>
internal static class SingleImport
{
    public static async Task<int> RunAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        try
        {
            var report = await services.GetRequiredService<CohortImport>().RunAsync(cancellationToken);
            return report.Succeeded ? ServiceProgram.Done : ServiceProgram.No;
        }
        catch (PacsException failure)
        {
            await Console.Error.WriteLineAsync($"{failure.Fault}: {failure.Message}");
            return ServiceProgram.Fault;
        }
    }
}
