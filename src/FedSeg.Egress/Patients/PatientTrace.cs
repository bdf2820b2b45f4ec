using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Egress.Records;
using FedSeg.Federation.Identity;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress.Patients;

/// <summary>What a run has of a patient, and what it would take to have it without them.</summary>
/// <param name="Run">The run.</param>
/// <param name="Trained">Rounds that trained on them; 0 is the fingerprint.</param>
/// <param name="Scored">Rounds in which the model was only tried on them.</param>
/// <param name="Left">Of the first, those whose update left this site.</param>
/// <param name="Redo">Rounds to be done again; empty when nothing of them left.</param>
/// <param name="From">The model to begin with again, the one before they came in; <see langword="null"/> when nothing has to be.</param>
public sealed record PatientRun(
    RunId Run, ImmutableArray<int> Trained, ImmutableArray<int> Scored, ImmutableArray<int> Left, ImmutableArray<int> Redo, Sha256Digest? From)
{
    /// <summary>The same in words.</summary>
    public string Explanation =>
        Left.IsEmpty ? "Nothing that was trained on this patient left this hospital; no shared model has anything of them."
        : Redo.IsEmpty ? "Counts that include this patient left in the fingerprint, from which the network was planned; no weights did."
        : $"The shared model has something of this patient since round {Redo[0]}. To have it without them, rounds {Redo[0]} to {Redo[^1]}, and any later ones, have to be done again by "
            + $"all hospitals of the run, beginning from model {From}, with this patient left out. What one update changed can't be taken out of a model afterwards.";
}

/// <summary>Finds what a patient is in: from the records of the rounds, which stay here, and the ledger, which says what left.</summary>
public static class PatientTrace
{
    /// <param name="patient">The pseudonym.</param>
    /// <param name="records">This site's.</param>
    /// <param name="ledger">This site's; <see langword="null"/> when there is none yet.</param>
    public static IReadOnlyList<PatientRun> Of(Sha256Digest patient, PatientRecords records, LedgerReader? ledger)
    {
        var used = records.RoundsOf(patient);
        if (used.Count == 0) return [];
        var (sent, models) = (new HashSet<(RunId, int)>(), new Dictionary<(RunId, int), Sha256Digest>());
        foreach (var entry in ledger?.Entries() ?? [])
        {
            if (entry.Action is not (EgressRecords.Requested or EgressRecords.Sent)) continue;
            var round = (RunId.Parse(entry.Facts[EgressRecords.Run]), int.Parse(entry.Facts[EgressRecords.Round], CultureInfo.InvariantCulture));
            if (entry.Action == EgressRecords.Sent) sent.Add(round);
            else models[round] = Sha256Digest.Parse(entry.Facts[EgressRecords.BaseModel]);
        }

        return [.. used.GroupBy(round => round.Run).Select(rounds => Of(rounds.Key, [.. rounds], sent, models))];
    }

    private static PatientRun Of(RunId run, IReadOnlyList<PatientRound> rounds, HashSet<(RunId, int)> sent, Dictionary<(RunId, int), Sha256Digest> models)
    {
        ImmutableArray<int> trained = [.. rounds.Where(round => round.Trained).Select(round => round.Round)];
        ImmutableArray<int> left = [.. trained.Where(round => sent.Contains((run, round)))];
        var last = sent.Where(round => round.Item1 == run).Select(round => round.Item2).DefaultIfEmpty().Max();
        ImmutableArray<int> redo = left.Where(round => round > 0).Select(round => (int?)round).FirstOrDefault() is { } first ? [.. Enumerable.Range(first, last - first + 1)] : [];
        return new(
            run,
            trained,
            [.. rounds.Where(round => !round.Trained).Select(round => round.Round)],
            left,
            redo,
            redo.IsEmpty ? null : models.TryGetValue((run, redo[0]), out var model) ? model : null);
    }
}
