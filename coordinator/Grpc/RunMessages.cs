using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Yaml;
using FedSeg.Protocol.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace FedSeg.Coordinator.Grpc;

/// <summary>Writes a run's state as messages for people.</summary>
internal static class RunMessages
{
    public static JobVerdict Verdict(IEnumerable<YamlProblem> problems) =>
        new() { Problems = { problems.Select(problem => new JobProblem { Line = problem.Line, Message = problem.Message }) } };

    /// <param name="state">The run.</param>
    /// <param name="places">Where its open round stands at each of its sites.</param>
    /// <param name="isTheirs">Whether the reader may know of a run.</param>
    public static Run Of(RunState state, IReadOnlyDictionary<SiteId, SitePlace> places, Predicate<RunId> isTheirs) => new()
    {
        Id = state.Id.ToString(),
        Name = state.Job.Name,
        SubmittedBy = state.SubmittedBy,
        CreatedAt = Timestamp.FromDateTimeOffset(state.CreatedAt),
        Status = (state.End?.Outcome.ToString() ?? (state.Pause is null ? "Running" : "Paused")).ToLowerInvariant(),
        Reason = state.End?.Reason ?? (state.Pause is { } pause ? $"Paused by {pause.By}." : ""),
        TotalRounds = state.Job.Rounds,
        Mode = state.Job.Blind is null ? "inspectable" : "blind",
        Study = state.Job.Study?.ToString() ?? "",
        Sites = { state.Job.Sites.Select(site => site.ToString()) },
        Labels = { state.Job.Labels },
        PlanSha256 = state.Plan?.Sha256.ToString() ?? "",
        Plan = state.Plan is { } frozen ? ByteString.CopyFrom(frozen.Plan.ToBytes()) : ByteString.Empty,
        Rounds = { state.AllRounds.Select(round => Of(state, round, places, isTheirs)) },
        Priority = state.Job.Priority.ToString().ToLowerInvariant(),
        QueuePosition = places.Values.Select(place => place.Position).DefaultIfEmpty().Max(),
        WaitsFor = WaitsFor(state, places, isTheirs),
        Model = Of(state.Id, state.Rounds.LastOrDefault(round => round.Model is not null)?.Plan.Round ?? 0, state.Model),
    };

    /// <summary>The global models of a run: the initial one and one per closed training round.</summary>
    public static IEnumerable<ModelFile> Models(RunState state)
    {
        var initial = state.Rounds.Length > 0 ? new ModelRef(state.Rounds[0].Plan.BaseModel, state.Rounds[0].Plan.BaseModelBytes) : state.Model;
        if (initial != ModelRef.None) yield return Of(state.Id, 0, initial);
        foreach (var round in state.Rounds)
        {
            if (round.Model is { } model) yield return Of(state.Id, round.Plan.Round, model);
        }
    }

    private static string WaitsFor(RunState state, IReadOnlyDictionary<SiteId, SitePlace> places, Predicate<RunId> isTheirs)
    {
        if (state.End is not null) return "";
        if (state.Pause is { } pause) return $"a person to resume it; {pause.By} paused it";
        if (state.OpenRound is not { } round) return "its next round to open";
        var waiting = state.Job.Sites.Where(site => !round.Answered(site)).Select(site => Of(round, site, places, isTheirs)).ToList();
        return waiting.Count == 0
            ? "its updates to be merged"
            : string.Join("; ", waiting.Select(site => $"{site.Site}: {site.State}{(site.Reason.Length > 0 ? $" ({site.Reason})" : "")}"));
    }

    private static Round Of(RunState state, RoundState round, IReadOnlyDictionary<SiteId, SitePlace> places, Predicate<RunId> isTheirs)
    {
        var message = new Round
        {
            Number = round.Plan.Round,
            Task = round.Plan.Task.ToString().ToLowerInvariant(),
            OpenedAt = Timestamp.FromDateTimeOffset(round.OpenedAt),
            ClosedAt = round.ClosedAt is { } closed ? Timestamp.FromDateTimeOffset(closed) : null,
            Sites = { state.Job.Sites.Select(site => Of(round, site, places, isTheirs)) },
        };
        if (round.Model is { } model) message.Model = Of(state.Id, round.Plan.Round, model);
        return message;
    }

    private static SiteResult Of(RoundState round, SiteId site, IReadOnlyDictionary<SiteId, SitePlace> places, Predicate<RunId> isTheirs)
    {
        if (round.Dropped.TryGetValue(site, out var reason)) return new SiteResult { Site = site.ToString(), State = "dropped", Reason = reason.ToString() };
        if (!round.Accepted.TryGetValue(site, out var accepted))
        {
            var place = places.GetValueOrDefault(site);
            return new SiteResult
            {
                Site = site.ToString(),
                State = round.WaitingForPeople(site) ? "waiting for review" : place?.Attends != true ? "away" : place.IsInWork ? "working" : "queued",
                Reason = place is { Attends: true, Position: > 0 } && !round.WaitingForPeople(site)
                    ? $"place {place.Position}, behind {Behind(place, isTheirs)}"
                    : "",
            };
        }

        var result = new SiteResult
        {
            Site = site.ToString(),
            State = "accepted",
            TrainingCases = accepted.Report.TrainingCases,
            HeldBackCases = accepted.Report.HeldBackCases,
            Scores = { accepted.Report.Scores.Select(Of) },
            Bytes = accepted.Weights?.Bytes ?? 0,
            Digest = accepted.Digest.ToString(),
            AcceptedAt = Timestamp.FromDateTimeOffset(accepted.At),
        };
        if (accepted.Report.MeanLoss is { } loss) result.MeanLoss = loss;
        if (accepted.Report.Cohort is { } cohort) (result.UsedStudies, result.FoundStudies) = (cohort.Used, cohort.Found);
        return result;
    }

    /// <summary>A blind round holds up another one at a site that does nothing yet.</summary>
    private static string Behind(SitePlace place, Predicate<RunId> isTheirs) => place.Behind.IsEmpty
        ? "a blind round"
        : string.Join(", ", place.Behind.Select(run => isTheirs(run) ? run.ToString() : "another study's run"));

    private static Score Of(LabelScore score)
    {
        var message = new Score { Label = score.Label, Cases = score.Cases };
        if (score.MeanDice is { } dice) message.MeanDice = dice;
        return message;
    }

    private static ModelFile Of(RunId run, int round, ModelRef model) =>
        new() { Sha256 = model.Sha256.ToString(), Bytes = model.Bytes, RunId = run.ToString(), Round = round };
}
