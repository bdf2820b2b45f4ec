using System.Diagnostics;
using System.Diagnostics.Metrics;
using FedSeg.Federation.Assignments;
using FedSeg.Federation.Rounds;

namespace FedSeg.SiteAgent.Operations;

/// <summary>
/// What the agent tells its operator in numbers and traces: which step of which round took how long and how it ended. Run, round and step are all that is named; nothing
/// comes from the trainer or the cohort.
/// </summary>
internal sealed class AgentTelemetry : IDisposable
{
    /// <summary>Name of the meter and of the source of traces.</summary>
    public const string Name = "FedSeg.SiteAgent";

    private readonly ActivitySource _source = new(Name);
    private readonly Meter _meter;
    private readonly Histogram<double> _steps;
    private readonly TimeProvider _time;

    public AgentTelemetry(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        _meter = meters.Create(Name);
        _steps = _meter.CreateHistogram<double>("fedseg.step.duration", "s", "A step of a round at this site, by step and outcome.");
    }

    /// <summary>Does a step as a span of the round's trace, the same trace as the coordinator's.</summary>
    public async Task<AssignmentInput> FollowAsync(AssignmentEffect.Work step, Func<Task<AssignmentInput>> work)
    {
        var name = step.GetType().Name;
        var (run, round) = (step.Plan.Run, step.Plan.Round);
        var started = _time.GetTimestamp();
        using var span = _source.StartActivity(name, ActivityKind.Internal, RoundTrace.Of(run, round));
        var outcome = await work();
        span?.SetTag("fedseg.run", run.ToString()).SetTag("fedseg.round", round).SetTag("fedseg.outcome", outcome.GetType().Name);
        _steps.Record(_time.GetElapsedTime(started).TotalSeconds, new("step", name), new("outcome", outcome.GetType().Name));
        return outcome;
    }

    public void Dispose()
    {
        _source.Dispose();
        _meter.Dispose();
    }
}
