using FedSeg.Federation.Training;
using FedSeg.SiteAgent.Coordinator.Pace;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FedSeg.SiteAgent.Cohort;

/// <summary>
/// What a run could use of this site's cohort, told by count and reason before the site joins one; which study it is stands in a file of the
/// site's operator. A refused study never stops a run.
/// </summary>
internal sealed partial class Preflight(TrainerHost trainer, SitePace pace, ILogger<Preflight> logger)
{
    private const int Usable = 0, NothingUsable = 1, Fault = 3;

    /// <summary>Logs the counts at the agent's own start. A trainer that fails here will fail again in a round, which tells the coordinator.</summary>
    public async Task LogAsync(CancellationToken cancellationToken)
    {
        switch (await trainer.PreflightAsync(cancellationToken))
        {
            case TrainerEvent.Surveyed surveyed:
                if (pace.Description is { } description) LogPace(description);
                LogSurveyed(surveyed.Usable, surveyed.Quarantined.Values.Sum(), Reasons(surveyed));
                break;
            case TrainerEvent.Failed failed:
                LogFailed(failed.Code);
                break;
        }
    }

    /// <summary>The command <c>preflight</c>.</summary>
    public static Task<int> RunAsync(IServiceProvider services, CancellationToken cancellationToken) =>
        services.GetRequiredService<Preflight>().PrintAsync(Console.Out, cancellationToken);

    /// <summary>Prints the counts.</summary>
    /// <returns>The exit code: 0 when there is something to train on, 1 when there is not, 3 when nobody could tell.</returns>
    public async Task<int> PrintAsync(TextWriter output, CancellationToken cancellationToken)
    {
        switch (await trainer.PreflightAsync(cancellationToken))
        {
            case TrainerEvent.Surveyed surveyed:
                await output.WriteLineAsync($"usable  {surveyed.Usable}");
                await output.WriteLineAsync($"refused {surveyed.Quarantined.Values.Sum()}");
                foreach (var (reason, count) in surveyed.Quarantined) await output.WriteLineAsync($"  {reason} {count}");
                await output.WriteLineAsync($"which and why: {trainer.PreflightReportPath}");
                if (pace.Description is { } description) await output.WriteLineAsync($"transfers: {description}");
                return surveyed.Usable > 0 ? Usable : NothingUsable;
            case TrainerEvent.Failed failed:
                await output.WriteLineAsync($"The trainer failed ({failed.Code}): {failed.Detail}");
                return Fault;
            case var other:
                throw new InvalidOperationException($"The trainer ended a preflight with {other.GetType().Name}.");
        }
    }

    private static string Reasons(TrainerEvent.Surveyed surveyed) =>
        surveyed.Quarantined.IsEmpty ? "none" : string.Join(", ", surveyed.Quarantined.Select(entry => $"{entry.Value} {entry.Key}"));

    [LoggerMessage(470, LogLevel.Information, "Preflight read the cohort: {Usable} studies usable, {Refused} refused ({Reasons}); reports/preflight.json says which")]
    private partial void LogSurveyed(int usable, int refused, string reasons);

    [LoggerMessage(461, LogLevel.Information, "Models and updates move by Agent:Pace: {Pace}")]
    private partial void LogPace(string pace);

    [LoggerMessage(471, LogLevel.Warning, "Preflight could not read the cohort: {Code}; reports/trainer.txt says more")]
    private partial void LogFailed(TrainerFailure code);
}
