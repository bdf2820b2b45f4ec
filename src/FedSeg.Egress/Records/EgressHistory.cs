using System.Globalization;
using FedSeg.Federation.Identity;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress.Records;

/// <summary>
/// What the site's own ledger says about earlier updates: which were approved and not sent, how much was approved lately, how large the updates of a run were. Folded from
/// the entries, so a restart forgets nothing and nobody can make it forget.
/// </summary>
internal sealed class EgressHistory
{
    private const int RememberedNorms = 10;
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly List<UnsentUpdate> _unsent = [];
    private readonly Queue<(DateTimeOffset At, long Bytes)> _lately = new();
    private readonly Dictionary<RunId, Queue<double>> _norms = [];
    private readonly Dictionary<Sha256Digest, (long Bytes, double? Norm, Sha256Digest? Charter)> _requested = [];
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
    public IReadOnlyCollection<double> Norms(RunId run) => _norms.TryGetValue(run, out var norms) ? norms : [];

    private void Fold(LedgerEntry entry)
    {
        if (entry.Action == EgressRecords.Masked) Replace(entry);
        if (entry.Action is not (EgressRecords.Requested or EgressRecords.Decided or EgressRecords.Sent or EgressRecords.Discarded)) return;
        if (!entry.Facts.TryGetValue(EgressRecords.Update, out var text)) return;

        var update = Sha256Digest.Parse(text);
        if (entry.Action == EgressRecords.Requested)
        {
            var norm = entry.Facts.TryGetValue(EgressRecords.Norm, out var measured) ? double.Parse(measured, CultureInfo.InvariantCulture) : (double?)null;
            var bytes = entry.Facts.TryGetValue(EgressRecords.PayloadBytes, out var length) ? long.Parse(length, CultureInfo.InvariantCulture) : 0;
            _requested[update] = (bytes, norm, entry.Facts.TryGetValue(EgressRecords.Charter, out var charter) ? Sha256Digest.Parse(charter) : null);
            return;
        }

        _unsent.RemoveAll(other => other.Update == update);
        if (entry.Action == EgressRecords.Decided && entry.Facts[EgressRecords.Decision] == EgressRecords.ApprovedDecision) Approve(entry, update);
        _requested.Remove(update);
    }

    /// <summary>The masked update takes the place of the plain one that was approved.</summary>
    private void Replace(LedgerEntry entry)
    {
        var plain = Sha256Digest.Parse(entry.Facts[EgressRecords.PlainUpdate]);
        var place = _unsent.FindIndex(other => other.Update == plain);
        if (place >= 0) _unsent[place] = _unsent[place] with { Update = Sha256Digest.Parse(entry.Facts[EgressRecords.Update]) };
    }

    private void Approve(LedgerEntry entry, Sha256Digest update)
    {
        var run = RunId.Parse(entry.Facts[EgressRecords.Run]);
        var (bytes, norm, charter) = _requested.GetValueOrDefault(update);
        _unsent.Add(new UnsentUpdate(update, run, int.Parse(entry.Facts[EgressRecords.Round], CultureInfo.InvariantCulture), charter));
        _lately.Enqueue((entry.Time, bytes));
        if (norm is not { } known) return;

        if (!_norms.TryGetValue(run, out var norms)) _norms[run] = norms = new Queue<double>();
        norms.Enqueue(known);
        if (norms.Count > RememberedNorms) norms.Dequeue();
    }
}

/// <summary>An update that was approved and, as far as the ledger knows, not sent.</summary>
/// <param name="Update">Its digest.</param>
/// <param name="Run">The run it answers.</param>
/// <param name="Round">The run's round.</param>
/// <param name="Charter">The charter that covered it; <see langword="null"/> where none was needed.</param>
internal sealed record UnsentUpdate(Sha256Digest Update, RunId Run, int Round, Sha256Digest? Charter);
