using FedSeg.Hosting.Programs;
using FedSeg.Importer.Cohort;
using FedSeg.Importer.Imports;
using FedSeg.Importer.Pacs;
using FedSeg.Importer.Selection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FedSeg.Importer;

/// <summary>One extension per feature, so that Program.cs reads as a table of contents.</summary>
internal static class Startup
{
    public static IServiceCollection AddImporterOptions(this IServiceCollection services, string[] args)
    {
        services.AddSingleton<IValidateOptions<ImporterOptions>, ImporterOptionsValidator>();
        services.AddSingleton<IValidateOptions<ImporterOptions>, ImporterSettingsValidator>();
        services.AddOptions<ImporterOptions>()
            .BindConfiguration("Importer", binder => binder.ErrorOnUnknownConfiguration = true)
            .PostConfigure(options =>
            {
                string Resolve(string path) => path.Length == 0 ? path : ServiceProgram.ResolvePath(args, path);
                options.Pacs.Authority = Resolve(options.Pacs.Authority);
                options.Pacs.Certificate = Resolve(options.Pacs.Certificate);
                options.Pacs.PrivateKey = Resolve(options.Pacs.PrivateKey);
                options.Pacs.PasswordFile = Resolve(options.Pacs.PasswordFile);
                options.Select.AccessionNumberFile = Resolve(options.Select.AccessionNumberFile);
                options.CohortDirectory = Resolve(options.CohortDirectory);
                options.DataDirectory = Resolve(options.DataDirectory);
            })
            .ValidateOnStart();
        return services;
    }

    public static IServiceCollection AddPacs(this IServiceCollection services) => services.AddSingleton(provider =>
    {
        var options = provider.GetRequiredService<IOptions<ImporterOptions>>().Value.Pacs;
        return new PacsClient(PacsConnection.Create(options), options, provider.GetRequiredService<TimeProvider>());
    });

    public static IServiceCollection AddImports(this IServiceCollection services)
    {
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<ImporterOptions>>().Value;
            return new CohortFolder(options.CohortDirectory, options.DataDirectory);
        });
        services.AddSingleton(provider => StudySelection.Of(provider.GetRequiredService<IOptions<ImporterOptions>>().Value.Select));
        return services.AddSingleton<StudyImport>().AddSingleton<CohortImport>();
    }

    public static IServiceCollection AddSchedule(this IServiceCollection services) => services.AddHostedService<ImportSchedule>();
}
