using FedSeg.Importer.Pacs;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.Importer.Imports;

/// <summary>Imports again and again. A failed import is logged, and the next one comes when it is due.</summary>
internal sealed partial class ImportSchedule(
    CohortImport import, IOptions<ImporterOptions> options, TimeProvider time, ILogger<ImportSchedule> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var schedule = options.Value.Schedule;
        var wait = schedule.FirstWait(time.GetUtcNow(), time.LocalTimeZone);
        while (true)
        {
            await Task.Delay(wait, time, stoppingToken);
            try
            {
                await import.RunAsync(stoppingToken);
            }
            catch (PacsException failure)
            {
                LogPacsFailed(failure.Fault, failure.Message);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                LogStorageFailed(failure.Message);
            }

            wait = schedule.NextWait(time.GetUtcNow(), time.LocalTimeZone);
            LogNext(wait);
        }
    }

    [LoggerMessage(510, LogLevel.Error, "No import: {Fault}. {Problem}")]
    private partial void LogPacsFailed(PacsFault fault, string problem);

    [LoggerMessage(511, LogLevel.Error, "The import stopped: {Problem}")]
    private partial void LogStorageFailed(string problem);

    [LoggerMessage(512, LogLevel.Information, "The next import is due in {Wait}")]
    private partial void LogNext(TimeSpan wait);
}
