using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using FedSeg.Coordinator.Connections;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Sites;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Enrolment;

namespace FedSeg.Coordinator.Operations;

/// <summary>What the coordinator tells its operators in numbers and traces. Neither has a site's or a run's name as a label where there could be many.</summary>
internal sealed class CoordinatorTelemetry : IDisposable
{
    /// <summary>Name of the meter and of the source of traces.</summary>
    public const string Name = "FedSeg.Coordinator";

    private readonly ActivitySource _source = new(Name);
    private readonly Meter _meter;
    private readonly Histogram<double> _rounds;
    private readonly Histogram<double> _merges;
    private readonly Counter<long> _accepted, _refused, _received, _saved, _sent, _runs, _enrolmentsRefused, _alarms, _connectionsRefused;

    public CoordinatorTelemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        _rounds = _meter.CreateHistogram<double>("fedseg.round.duration", "s", "From a round's opening to its closing.");
        _merges = _meter.CreateHistogram<double>("fedseg.merge.duration", "s", "Making a model from a round's updates.");
        _accepted = _meter.CreateCounter<long>("fedseg.updates.accepted", "{update}", "Updates that count.");
        _refused = _meter.CreateCounter<long>("fedseg.updates.refused", "{update}", "Uploads that were refused, by reason.");
        _received = _meter.CreateCounter<long>("fedseg.updates.bytes", "By", "Bytes of accepted updates.");
        _saved = _meter.CreateCounter<long>("fedseg.updates.saved", "By", "Bytes that accepted updates would have had more in float32.");
        _sent = _meter.CreateCounter<long>("fedseg.models.bytes", "By", "Bytes of models sent.");
        _enrolmentsRefused = _meter.CreateCounter<long>("fedseg.enrolments.refused", "{enrolment}", "Enrolments that were refused, by reason.");
        _alarms = _meter.CreateCounter<long>("fedseg.sites.alarms", "{alarm}", "Attendances with something wrong, by kind: a second session, a shared key, a clock.");
        _connectionsRefused = _meter.CreateCounter<long>("fedseg.connections.refused", "{connection}", "Connections closed before their time, by reason.");
        _runs = _meter.CreateCounter<long>("fedseg.runs.ended", "{run}", "Runs that ended, by outcome.");
    }

    /// <summary>Has the number of open runs, of attending sites and of rounds in their queues read whenever somebody asks.</summary>
    public void Observe(RunBook book, SiteDirectory sites, SiteTurnBook turns)
    {
        _meter.CreateObservableGauge("fedseg.rounds.queued", () => turns.Queued, "{round}", "Rounds that wait for their turn at a site.");
        _meter.CreateObservableGauge("fedseg.runs.open", () => book.Runs.Count(run => run.End is null), "{run}", "Runs that have not ended.");
        _meter.CreateObservableGauge("fedseg.sites.attending", () => sites.Count, "{site}", "Sites with a connection now.");
    }

    /// <summary>Has the time that the coordinator's certificate is still good read whenever somebody asks.</summary>
    public void ObserveCertificate(Func<TimeSpan> left) =>
        _meter.CreateObservableGauge("fedseg.certificate.left", () => left().TotalSeconds, "s", "Until the coordinator's own certificate ends.");

    /// <summary>A span of a round's trace; ends when disposed.</summary>
    public Activity? Begin(string what, RunId run, int round)
    {
        var activity = _source.StartActivity(what, ActivityKind.Internal, RoundTrace.Of(run, round));
        return activity?.SetTag("fedseg.run", run.ToString()).SetTag("fedseg.round", round);
    }

    /// <summary>A round that is over, as one span of its trace.</summary>
    public void RoundClosed(RunId run, RoundState round, DateTimeOffset at)
    {
        _rounds.Record((at - round.OpenedAt).TotalSeconds, Tag("task", round.Plan.Task));
        using var activity = _source.StartActivity("round", ActivityKind.Internal, RoundTrace.Of(run, round.Plan.Round), startTime: round.OpenedAt);
        activity?.SetTag("fedseg.run", run.ToString()).SetTag("fedseg.round", round.Plan.Round).SetTag("fedseg.updates", round.Accepted.Count);
        activity?.SetEndTime(at.UtcDateTime);
    }

    public void Merged(TimeSpan duration) => _merges.Record(duration.TotalSeconds);

    public void RunEnded(RunOutcome outcome) => _runs.Add(1, Tag("outcome", outcome));

    /// <param name="bytes">Of its weights as they came.</param>
    /// <param name="saved">What its encoding, or its mask, made that less than in float32.</param>
    public void Accepted(long bytes, long saved)
    {
        _accepted.Add(1);
        _received.Add(bytes);
        _saved.Add(saved);
    }

    public void Refused(UploadOutcome reason) => _refused.Add(1, Tag("reason", reason));

    public void EnrolmentRefused(EnrolmentRefusal reason) => _enrolmentsRefused.Add(1, Tag("reason", reason));

    public void ConnectionRefused(ConnectionRefusal reason) => _connectionsRefused.Add(1, Tag("reason", reason));

    public void Alarm(IdentityEvent kind) => _alarms.Add(1, new KeyValuePair<string, object?>("kind", JsonNamingPolicy.CamelCase.ConvertName(kind.ToString())));

    public void WrongClock() => _alarms.Add(1, new KeyValuePair<string, object?>("kind", "clock"));

    public void Sent(int bytes) => _sent.Add(bytes);

    public void Dispose()
    {
        _source.Dispose();
        _meter.Dispose();
    }

    private static KeyValuePair<string, object?> Tag<T>(string name, T value)
        where T : struct, Enum => new(name, value.ToString());
}
