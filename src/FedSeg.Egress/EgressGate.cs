using System.Security.Cryptography;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Records;
using FedSeg.Egress.Review;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress;

/// <summary>
/// The one way out of a hospital. An update is sealed before anyone looks, checked by every rule of the site's policy, noted in the ledger, decided upon, noted again,
/// and only then becomes a <see cref="ClearedUpdate"/>, the only thing the coordinator's client accepts. Without a ledger entry on the disk nothing is cleared: an
/// exception of the ledger is an answer too, and it means no.
/// </summary>
public sealed class EgressGate
{
    private readonly EgressOptions _options;
    private readonly LedgerWriter _ledger;
    private readonly UpdateOutbox _outbox;
    private readonly UpdateSealer _sealer;
    private readonly EgressRecords _records;
    private readonly EgressHistory _history = new();
    private readonly TimeProvider _time;

    /// <param name="options">The site's settings.</param>
    /// <param name="ledger">The site's ledger, open for appending; it stays the caller's and gives the entries their time.</param>
    /// <param name="time">The same clock, for what is bounded per day.</param>
    /// <param name="random">Rounds weights up or down, cryptographic outside tests.</param>
    public EgressGate(EgressOptions options, LedgerWriter ledger, TimeProvider time, RandomNumberGenerator random)
    {
        _time = time;
        _options = options;
        _ledger = ledger;
        _outbox = new UpdateOutbox(options.OutboxDirectory);
        _sealer = new UpdateSealer(options.Site, random);
        _records = new EgressRecords(options);
    }

    /// <summary>Takes an update from the trainer's hands to cleared or refused. One call at a time.</summary>
    /// <param name="plan">The plan the agent accepted; what the update says is compared with it.</param>
    /// <param name="update">What the trainer delivered; its file may be deleted when this returns.</param>
    /// <param name="cancellationToken">Stops the sealing; what is decided stays decided.</param>
    /// <exception cref="IOException">Disk or ledger refused; nothing is cleared.</exception>
    /// <exception cref="LedgerCorruptException">The ledger is broken; nothing is cleared.</exception>
    public async Task<EgressOutcome> ClearAsync(RoundPlan plan, ModelUpdate update, CancellationToken cancellationToken)
    {
        if (ReadPolicy() is not { } policy) return await RefuseWithoutPolicyAsync(plan);

        var folder = _outbox.BeginSealing();
        try
        {
            var (facts, sealedUpdate) = await Task.Run(() => _sealer.Seal(plan, update, policy, folder, cancellationToken), cancellationToken);
            facts = Remember(facts, plan.Run);
            var report = EgressRules.Check(facts, policy);

            cancellationToken.ThrowIfCancellationRequested();
            // Stored before the approval is written: what the ledger calls approved can be sent after a crash.
            if (sealedUpdate is not null && report.Passed) sealedUpdate = _outbox.Store(folder, sealedUpdate);
            await NoteAsync(EgressRecords.Requested, _records.Request(plan, policy, facts, sealedUpdate, report));
            return await DecideAsync(plan, sealedUpdate, report);
        }
        finally
        {
            UpdateOutbox.Abandon(folder);
        }
    }

    /// <summary>Takes a notice that nothing will come to cleared or refused.</summary>
    /// <exception cref="IOException">Disk or ledger refused; nothing is cleared.</exception>
    public async Task<NoticeOutcome> ClearNoticeAsync(OutcomeNotice notice, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (ReadPolicy() is null)
        {
            await NoteAsync(EgressRecords.NoticeRefused, _records.Note(notice));
            return new NoticeOutcome.Refused(PolicyReport.WithoutPolicy);
        }

        await NoteAsync(EgressRecords.NoticeCleared, _records.Note(notice));
        return new NoticeOutcome.Cleared(new ClearedNotice(notice));
    }

    /// <summary>
    /// The updates that were approved and, as far as the ledger knows, not sent: to be sent again after a restart; the coordinator tells a repeated one by its digest.
    /// Everything else in the outbox is removed, so call it before the first <see cref="ClearAsync"/>. Without a valid policy nothing is given out and nothing removed.
    /// </summary>
    public async Task<IReadOnlyList<ClearedUpdate>> PendingAsync(CancellationToken cancellationToken)
    {
        if (ReadPolicy() is null) return [];

        var pending = new List<ClearedUpdate>();
        foreach (var (digest, run) in Unsent())
        {
            if (await _outbox.FindAsync(digest, cancellationToken) is { } update)
            {
                pending.Add(new ClearedUpdate(update));
            }
            else
            {
                await NoteAsync(EgressRecords.Discarded, _records.Discard(digest, run, "not as approved in the outbox"));
            }
        }

        _outbox.KeepOnly(pending.Select(update => update.Digest));
        return pending;
    }

    /// <summary>Notes that an update reached the coordinator, and removes it from the outbox.</summary>
    public async Task RecordSentAsync(ClearedUpdate update, SendReceipt receipt)
    {
        await NoteAsync(EgressRecords.Sent, _records.Send(update, receipt));
        _outbox.Remove(update.Digest);
    }

    /// <summary>Notes that a notice reached the coordinator.</summary>
    public Task RecordSentAsync(ClearedNotice notice) => NoteAsync(EgressRecords.NoticeSent, _records.Note(notice.Notice));

    /// <summary>Notes that an update did not reach the coordinator. It stays approved and in the outbox, unless its bytes changed.</summary>
    public async Task RecordFailedAsync(ClearedUpdate update, SendFailure failure)
    {
        await NoteAsync(EgressRecords.Failed, _records.Fail(update, failure));
        if (failure == SendFailure.PayloadChanged) await DiscardAsync(update.Digest, update.Run, "payload changed after approval");
    }

    /// <summary>Notes that a notice did not reach the coordinator.</summary>
    public Task RecordFailedAsync(ClearedNotice notice, SendFailure failure) => NoteAsync(EgressRecords.NoticeFailed, _records.Note(notice.Notice, failure));

    /// <summary>Removes what a run that has ended left unsent.</summary>
    public async Task DiscardRunAsync(RunId run)
    {
        foreach (var (digest, _) in Unsent().Where(update => update.Run == run)) await DiscardAsync(digest, run, "the run has ended");
    }

    private async Task<EgressOutcome> DecideAsync(RoundPlan plan, SealedUpdate? sealedUpdate, PolicyReport report)
    {
        var decision = AutoWithinBounds.Decide(report);
        await NoteAsync(EgressRecords.Decided, _records.Decide(plan, sealedUpdate, decision));
        return decision is EgressDecision.Approved && sealedUpdate is not null
            ? new EgressOutcome.Cleared(new ClearedUpdate(sealedUpdate), report)
            : new EgressOutcome.Refused(report);
    }

    private async Task<EgressOutcome> RefuseWithoutPolicyAsync(RoundPlan plan)
    {
        var report = PolicyReport.WithoutPolicy;
        await NoteAsync(EgressRecords.Requested, _records.Request(plan, policy: null, facts: null, update: null, report));
        return await DecideAsync(plan, sealedUpdate: null, report);
    }

    private async Task DiscardAsync(Sha256Digest update, RunId run, string why)
    {
        await NoteAsync(EgressRecords.Discarded, _records.Discard(update, run, why));
        _outbox.Remove(update);
    }

    private SealingFacts Remember(SealingFacts facts, RunId run)
    {
        lock (_history)
        {
            _history.CatchUp(LedgerReader.Open(_ledger.Directory));
            return facts with { EarlierNorms = [.. _history.Norms(run)], LastDay = _history.LastDay(_time.GetUtcNow()) };
        }
    }

    // Copied, because what is done about them changes it.
    private List<(Sha256Digest Update, RunId Run)> Unsent()
    {
        lock (_history)
        {
            _history.CatchUp(LedgerReader.Open(_ledger.Directory));
            return [.. _history.Unsent];
        }
    }

    private EgressPolicy? ReadPolicy() => EgressPolicyFile.Read(_options.PolicyPath) is EgressPolicyResult.Valid valid ? valid.Policy : null;

    // Never cancelled: a decision without its entry, or a sent update without its, would be a hole in the record.
    private Task<LedgerReceipt> NoteAsync(string action, Dictionary<string, string> facts) => _ledger.AppendAsync(action, facts);
}
