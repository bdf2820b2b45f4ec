using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.Hosting.Programs;

/// <summary>
/// What the long-running programs share: one settings file, logs on standard output, and a start that fails in one clear line.
/// </summary>
public static partial class ServiceProgram
{
    public const int Done = 0, No = 1, BadInput = 2, Fault = 3;

    /// <summary>
    /// Adds the file named by <c>--settings FILE</c> (JSON) and sets logging up. Command-line switches (<c>--Section:Key=value</c>) win
    /// over the file.
    /// </summary>
    /// <exception cref="InvalidDataException">No settings file is named, or it is missing or not JSON.</exception>
    public static void Configure(IHostApplicationBuilder builder, string[] args)
    {
        var path = SettingsPath(args);
        try
        {
            builder.Configuration.AddJsonFile(path, optional: false, reloadOnChange: false);
        }
        catch (Exception error) when (error is InvalidDataException or FileNotFoundException or FormatException or JsonException)
        {
            throw new InvalidDataException($"Could not read the settings file '{path}': {(error.InnerException ?? error).Message}", error);
        }

        builder.Configuration.AddCommandLine(args);
        builder.Logging.ClearProviders().AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Grpc", LogLevel.Warning).AddFilter("System", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
        // The host names its content root at Information and options problems through the exception below.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
    }

    /// <summary>
    /// Builds and runs a host until it is told to stop. Bad settings and certificates end in one line on standard error and exit code 2. A
    /// service of it that breaks is logged and ends the program with exit code 3, so that whoever looks after the process starts it again.
    /// </summary>
    public static Task<int> RunAsync(Func<IHost> build) => ExplainAsync(async () =>
    {
        using var host = build();
        await using var services = (IAsyncDisposable)host;
        await host.StartAsync();
        await host.WaitForShutdownAsync();
        var broken = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().Where(service => service.ExecuteTask is { IsFaulted: true }).ToList();
        var logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ServiceProgram));
        foreach (var service in broken) LogBroke(logger, service.GetType().Name, service.ExecuteTask!.Exception!.GetBaseException());
        return broken.Count == 0 ? Done : Fault;
    });

    /// <summary>
    /// Builds a host for one piece of work, which gives the exit code. A signal to stop cancels the work, which is a fault. Bad settings
    /// end as in the other overload.
    /// </summary>
    public static Task<int> RunAsync(Func<IHost> build, Func<IServiceProvider, CancellationToken, Task<int>> work) => ExplainAsync(async () =>
    {
        using var host = build();
        // Some services can only be ended asynchronously.
        await using var services = (IAsyncDisposable)host;
        await host.StartAsync();
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            return await work(host.Services, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return Fault;
        }
        finally
        {
            await host.StopAsync(CancellationToken.None);
        }
    });

    /// <summary>A path from a settings file: relative ones start at the folder of that file.</summary>
    public static string ResolvePath(string[] args, string path) =>
        Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(SettingsPath(args)))!);

    /// <summary>
    /// Runs a program to its exit code; what a person can mend ends in one line on standard error and exit code 2, a failing disk in exit
    /// code 3.
    /// </summary>
    public static async Task<int> ExplainAsync(Func<Task<int>> program)
    {
        try
        {
            return await program();
        }
        catch (OptionsValidationException error)
        {
            foreach (var failure in error.Failures) await Console.Error.WriteLineAsync(failure);
            return BadInput;
        }
        catch (InvalidDataException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return BadInput;
        }
        catch (InvalidOperationException error) when (error.Source == "Microsoft.Extensions.Configuration.Binder")
        {
            await Console.Error.WriteLineAsync($"A setting is unknown or has a value of the wrong kind: {(error.InnerException is { } cause ? $"{error.Message} {cause.Message}" : error.Message)}");
            return BadInput;
        }
        catch (IOException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return Fault;
        }
    }

    private static string SettingsPath(string[] args)
    {
        var index = Array.IndexOf(args, "--settings");
        return index >= 0 && index + 1 < args.Length
            ? Path.GetFullPath(args[index + 1])
            : throw new InvalidDataException("Name a settings file: --settings FILE");
    }

    // The host's own words about it are filtered out above, with its words about settings.
    [LoggerMessage(1, LogLevel.Critical, "{Service} broke; this process ends and is to be started again")]
    private static partial void LogBroke(ILogger logger, string service, Exception error);
}
