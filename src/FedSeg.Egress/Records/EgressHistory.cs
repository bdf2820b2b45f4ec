using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Egress.Blind;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress.Records;

/// <summary>
/// What the site's own ledger says about earlier updates: which were approved and not sent, how much was approved lately, how large the updates of a run were, which
/// rounds were answered. Folded from the entries, so a restart forgets nothing and nobody can make it forget.
/// </summary>
internal sealed class EgressHistory
{
    private const int RememberedNorms = 10;
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly List<UnsentUpdate> _unsent = [];
    private readonly Queue<(DateTimeOffset At, long Bytes)> _lately = new();
    private readonly Dictionary<RunId, Queue<SentSize>> _sizes = [];
    private readonly Dictionary<Sha256Digest, (long Bytes, SentSize? Size, Sha256Digest? Charter)> _requested = [];
    private readonly Dictionary<RunId, int> _answered = [];
    private readonly List<MaskedRound> _masked = [];
    private readonly Dictionary<string, HashSet<Sha256Digest>> _charged = [];
    private long _folded;

    /// <summary>Updates that were approved and neither sent nor discarded since, oldest approval first.</summary>
    public IReadOnlyList<UnsentUpdate> Unsent => _unsent;

    /// <summary>Reads what the ledger has gained since the last time.</summary>
    public void CatchUp(LedgerReader ledger)
    {
        foreach (var entry in ledger.Entries(_folded))
        {
            Fold(entry);
            _folded = entry.Seq + 1;
        }
    }

    /// <summary>Updates and bytes approved in the 24 hours before <paramref name="now"/>.</summary>
    public (int Updates, long Bytes) LastDay(DateTimeOffset now)
    {
        while (_lately.TryPeek(out var oldest) && now - oldest.At >= Day) _lately.Dequeue();
        return (_lately.Count, _lately.Sum(update => update.Bytes));
    }

    /// <summary>Norms of a run's last approved updates, at most ten.</summary>
    public IReadOnlyCollection<double> Norms(RunId run) => [.. SizesOf(run).Select(size => size.Norm)];

    /// <summary>Norms of one tensor, by its place in the manifest, in the same updates.</summary>
    public ImmutableArray<double> TensorNorms(RunId run, int tensor) =>
        [.. SizesOf(run).Where(size => tensor < size.Tensors.Length).Select(size => size.Tensors[tensor])];

    /// <summary>Releases that were charged to a cohort's budget, or to a study's.</summary>
    public IReadOnlyCollection<Sha256Digest> Charged(string cohort) => _charged.TryGetValue(cohort, out var releases) ? [.. releases] : [];

    /// <summary>
    /// Why a round must not be answered with a new update: the run's round was answered before, or two masked sums from one model could be subtracted. What was approved
    /// and not sent is no new update.
    /// </summary>
    /// <returns><see langword="null"/> when it may be.</returns>
    public string? RepetitionIn(RoundPlan plan)
    {
        if (_answered.TryGetValue(plan.Run, out var newest) && plan.Round <= newest) return $"this site has answered round {newest} of the run";
        if (!plan.MasksUpdates || plan.Recipe.Privacy is not null) return null;
        return _masked.Find(earlier => earlier.BaseModel == plan.BaseModel && earlier.MayIsolateASiteWith(plan.Blind!.Sites)) is { } masked
            ? $"this site masked an update of the same base model in {masked.Run} round {masked.Round}, among nearly the same sites, and nothing hides what the sums differ by"
            : null;
    }

    private void Fold(LedgerEntry entry)
    {
        if (entry.Action == EgressRecords.Masked) Mask(entry);
        if (entry.Action == EgressRecords.Sent && entry.Facts[EgressRecords.Receipt] == EgressRecords.AcceptedReceipt) Answer(entry);
        if (entry.Action is not (EgressRecords.Requested or EgressRecords.Decided or EgressRecords.Sent or EgressRecords.Discarded)) return;
        if (!entry.Facts.TryGetValue(EgressRecords.Update, out var text)) return;

        var update = Sha256Digest.Parse(text);
        if (entry.Action == EgressRecords.Requested)
        {
            var bytes = entry.Facts.TryGetValue(EgressRecords.PayloadBytes, out var length) ? long.Parse(length, CultureInfo.InvariantCulture) : 0;
            _requested[update] = (bytes, SizeIn(entry), entry.Facts.TryGetValue(EgressRecords.Charter, out var charter) ? Sha256Digest.Parse(charter) : null);
            return;
        }

        _unsent.RemoveAll(other => other.Update == update);
        if (entry.Action == EgressRecords.Decided && entry.Facts[EgressRecords.Decision] == EgressRecords.ApprovedDecision) Approve(entry, update);
        _requested.Remove(update);
    }

    private void Answer(LedgerEntry entry)
    {
        var (run, round) = (RunId.Parse(entry.Facts[EgressRecords.Run]), int.Parse(entry.Facts[EgressRecords.Round], CultureInfo.InvariantCulture));
        _answered[run] = Math.Max(round, _answered.GetValueOrDefault(run));
    }

    /// <summary>The masked update takes the place of the plain one that was approved. There is no second one, whether or not it arrives.</summary>
    private void Mask(LedgerEntry entry)
    {
        Answer(entry);
        // Entries of before name no sites.
        if (entry.Facts.TryGetValue(EgressRecords.Members, out var members) && entry.Facts[EgressRecords.PatientPrivacy] == EgressRecords.NoPrivacy)
        {
            _masked.Add(new MaskedRound(
                RunId.Parse(entry.Facts[EgressRecords.Run]),
                int.Parse(entry.Facts[EgressRecords.Round], CultureInfo.InvariantCulture),
                Sha256Digest.Parse(entry.Facts[EgressRecords.BaseModel]),
                [.. members.Split(',').Select(site => SiteId.Parse(site))]));
        }

        var plain = Sha256Digest.Parse(entry.Facts[EgressRecords.PlainUpdate]);
        var place = _unsent.FindIndex(other => other.Update == plain);
        if (place >= 0) _unsent[place] = _unsent[place] with { Update = Sha256Digest.Parse(entry.Facts[EgressRecords.Update]) };
    }

    private void Approve(LedgerEntry entry, Sha256Digest update)
    {
        var run = RunId.Parse(entry.Facts[EgressRecords.Run]);
        var (bytes, size, charter) = _requested.GetValueOrDefault(update);
        _unsent.Add(new UnsentUpdate(update, run, int.Parse(entry.Facts[EgressRecords.Round], CultureInfo.InvariantCulture), charter));
        _lately.Enqueue((entry.Time, bytes));
        foreach (var budget in new[] { EgressRecords.Cohort, EgressRecords.StudyPrefix + EgressRecords.Cohort })
        {
            if (!entry.Facts.TryGetValue(budget, out var cohort)) continue;
            if (!_charged.TryGetValue(cohort, out var releases)) _charged[cohort] = releases = [];
            releases.Add(update);
        }

        if (size is null) return;

        if (!_sizes.TryGetValue(run, out var sizes)) _sizes[run] = sizes = new Queue<SentSize>();
        sizes.Enqueue(size);
        if (sizes.Count > RememberedNorms) sizes.Dequeue();
    }

    private Queue<SentSize> SizesOf(RunId run) => _sizes.TryGetValue(run, out var sizes) ? sizes : [];

    private static SentSize? SizeIn(LedgerEntry entry)
    {
        if (!entry.Facts.TryGetValue(EgressRecords.Norm, out var norm)) return null;
        var tensors = entry.Facts.TryGetValue(EgressRecords.TensorNorms, out var norms) ? norms.Split(' ') : [];
        return new SentSize(Number(norm), [.. tensors.Select(Number)]);

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>How large an update's change was, as a whole and tensor by tensor.</summary>
    private sealed record SentSize(double Norm, ImmutableArray<double> Tensors);
}

/// <summary>An update that was approved and, as far as the ledger knows, not sent.</summary>
/// <param name="Update">Its digest.</param>
/// <param name="Run">The run it answers.</param>
/// <param name="Round">The run's round.</param>
/// <param name="Charter">The charter that covered it; <see langword="null"/> where none was needed.</param>
internal sealed record UnsentUpdate(Sha256Digest Update, RunId Run, int Round, Sha256Digest? Charter);
