using System.Security.Cryptography;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Records;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Hosting.Storage;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Masking;
using FedSeg.SecureAggregation.Server;
using FedSeg.SecureAggregation.Sites;

namespace FedSeg.Egress.Blind;

/// <summary>
/// The gate's part in blind rounds. What was approved is the plain update; here it is masked, and only the masked one becomes a <see
/// cref="ClearedUpdate"/> that can be sent. The exchange's messages leave as everything does: noted in the ledger first.
/// </summary>
public sealed class BlindGate
{
    private readonly Func<RoundPlan, EgressPolicy?> _policy;
    private readonly Func<SealedUpdate, ClearedUpdate> _clear;
    private readonly SiteRecord _site;
    private readonly UpdateOutbox _outbox;
    private readonly EgressRecords _records;

    /// <param name="policy">The policy in force; <see langword="null"/> while nothing of a run may leave.</param>
    /// <param name="clear">The gate's word about a masked update; nobody else makes one.</param>
    /// <param name="site">The gate's.</param>
    /// <param name="outbox">The gate's.</param>
    /// <param name="records">The gate's.</param>
    internal BlindGate(
        Func<RoundPlan, EgressPolicy?> policy, Func<SealedUpdate, ClearedUpdate> clear, SiteRecord site, UpdateOutbox outbox, EgressRecords records) =>
        (_policy, _clear, _site, _outbox, _records) = (policy, clear, site, outbox, records);

    /// <summary>Fewest sites that must share keys before this site masks; <see langword="null"/> while nothing may leave.</summary>
    public int? FewestSitesOf(RoundPlan plan) => _policy(plan)?.MinimumBlindSites;

    /// <summary>Clears one message of the exchange.</summary>
    /// <returns><see langword="null"/> when nothing may leave.</returns>
    /// <exception cref="IOException">Disk or ledger refused; nothing is cleared.</exception>
    public async Task<ClearedStep?> ClearStepAsync(RoundPlan plan, SumStage stage, byte[] message)
    {
        var allowed = _policy(plan) is not null;
        await _site.NoteAsync(
            allowed ? EgressRecords.BlindStepCleared : EgressRecords.BlindStepRefused, _records.Step(plan, stage, message));
        return allowed ? new ClearedStep(plan.Run, plan.Round, stage, message) : null;
    }

    /// <summary>
    /// Masks an approved update. When this returns, the masked one is on the disk and in the ledger, with the digests of both, and the
    /// plain one is gone.
    /// </summary>
    /// <param name="plan">The blind round's.</param>
    /// <param name="update">Approved, and to be masked.</param>
    /// <param name="client">Ready to mask; its masks are used up.</param>
    /// <param name="cancellationToken">Stops the masking; the update is lost to the round then.</param>
    /// <returns><see langword="null"/> when nothing may leave any more, or the round was answered before.</returns>
    /// <exception cref="IOException">Disk or ledger refused; nothing is cleared.</exception>
    /// <exception cref="PayloadChangedException">The weights are not what was approved.</exception>
    public async Task<ClearedUpdate?> MaskAsync(RoundPlan plan, ClearedUpdate update, SumClient client, CancellationToken cancellationToken)
    {
        if (!update.MustBeMasked) throw new InvalidOperationException("The update is not one to be masked.");
        if (_site.History(history => history.RepetitionIn(plan)) is { } repetition)
        {
            await _site.NoteAsync(EgressRecords.RoundRefused, _records.RefuseRound(plan, repetition));
            return null;
        }

        var folder = _outbox.BeginSealing();
        try
        {
            var payload = await Task.Run(() =>
                Mask(plan, update, client, Path.Combine(folder, SealedPayload.MaskedName), cancellationToken), cancellationToken);
            // Nobody stops the site between the question and the entry.
            using var turn = await _site.TakeTurnAsync(CancellationToken.None);
            if (_policy(plan) is null) return null;
            var masked = _outbox.Store(
                folder, new SealedUpdate(update.Sealed.Report, update.ReportBytes.ToArray(), payload), summary: null);
            await _site.NoteAsync(EgressRecords.Masked, _records.Mask(plan, update, masked, client));
            _outbox.Remove(update.Digest);
            return _clear(masked);
        }
        finally
        {
            UpdateOutbox.Abandon(folder);
        }
    }

    /// <summary>Notes why this site ended its part in an exchange.</summary>
    public Task RecordAbortAsync(RoundPlan plan, SumAbort abort) =>
        _site.NoteAsync(EgressRecords.BlindAborted, _records.Abort(plan, abort));

    private static SealedPayload Mask(
        RoundPlan plan, ClearedUpdate update, SumClient client, string path, CancellationToken cancellationToken)
    {
        // Held open while it is read: what is masked is what was just compared with the approval.
        using var approved = update.OpenApproved();
        using var source = SafetensorsFile.Open(update.Sealed.Payload!.Path);
        using var masks = client.TakeMasks();
        using var target = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (values, words) = (new float[MaskSet.ChunkWords], new uint[MaskSet.ChunkWords]);
        var packed = new byte[MaskSet.ChunkWords * Words24.BytesPerWord];
        var length = plan.UpdateManifest().All.ParameterCount;
        for (var start = 0L; start < length; start += MaskSet.ChunkWords)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = (int)Math.Min(MaskSet.ChunkWords, length - start);
            var bytes = packed.AsSpan(0, count * Words24.BytesPerWord);
            source.ReadPayload(start, values.AsSpan(0, count));
            FixedGrid.ToWords(values.AsSpan(0, count), plan.Blind!.GridExponent, words);
            masks.Apply(start / MaskSet.ChunkWords, words.AsSpan(0, count));
            Words24.Pack(words.AsSpan(0, count), bytes);
            target.Write(bytes);
            hash.AppendData(bytes);
        }

        DurableFile.Flush(target);
        return new SealedPayload(path, target.Length, Sha256Digest.FromHash(hash.GetHashAndReset()));
    }
}
