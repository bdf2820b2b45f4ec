using System.Globalization;
using System.Security.Cryptography;
using FedSeg.Coordinator.Blind;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Operations;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Protocol.Transfer;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// Takes updates in: checks the announcement, stores the bytes where a broken upload can go on, checks the weights, and enters the update in the journal. When it says
/// accepted, file, journal and ledger are on the disk.
/// </summary>
internal sealed partial class UpdateIntake(
    RunBook book,
    BlobStore blobs,
    BlindRounds blind,
    CoordinatorLedger ledger,
    IOptions<CoordinatorOptions> options,
    CoordinatorTelemetry telemetry,
    TimeProvider time,
    ILogger<UpdateIntake> logger)
{
    /// <summary>Bytes of an update that are already here; 0 when it is unknown.</summary>
    public long StoredBytes(RunId run, SiteId site, Sha256Digest digest)
    {
        if (book.Find(run)?.OpenRound is not { } round) return 0;
        var partial = new FileInfo(PartialPath(round.Plan, site, digest));
        return partial.Exists ? partial.Length : 0;
    }

    /// <summary>Where a round's unfinished uploads lie until it closes, a folder for each site.</summary>
    public static string IncomingFolder(RunId run, int round) => Path.Combine(run.ToString(), round.ToString(CultureInfo.InvariantCulture));

    /// <summary>Takes one update in.</summary>
    /// <param name="announced">What the site announced.</param>
    /// <param name="siteKey">The public key of the site's certificate.</param>
    /// <param name="run">The run the upload claims to belong to.</param>
    /// <param name="offset">Where the first chunk belongs.</param>
    /// <param name="chunks">The weights from there on.</param>
    /// <param name="cancellationToken">A cut leaves what has arrived for the next attempt.</param>
    /// <exception cref="IOException">The bytes can't be stored; nothing was acknowledged.</exception>
    public async Task<UploadOutcome> ReceiveAsync(
        UploadAnnouncement announced,
        ECDsa siteKey,
        RunId run,
        long offset,
        IAsyncEnumerable<ReadOnlyMemory<byte>> chunks,
        CancellationToken cancellationToken)
    {
        var outcome = await TryReceiveAsync(announced, siteKey, run, offset, chunks, cancellationToken);
        if (outcome == UploadOutcome.Accepted) return outcome;
        telemetry.Refused(outcome);
        LogRefused(announced.Site, run, outcome);
        if (IsForTheLedger(outcome)) await ledger.NoteRefusedAsync(book.Find(run)!, announced.Site, announced.Digest, outcome);
        return outcome;
    }

    /// <summary>What no later attempt makes good. The others happen to every honest site: a cut line, a run that is over.</summary>
    private static bool IsForTheLedger(UploadOutcome outcome) => outcome
        is UploadOutcome.AlreadyAnswered or UploadOutcome.WrongRun or UploadOutcome.WrongRound or UploadOutcome.WrongBase
        or UploadOutcome.ReportRefused or UploadOutcome.SignatureRefused or UploadOutcome.TooLarge
        or UploadOutcome.TensorsRefused or UploadOutcome.NotFinite;

    private async Task<UploadOutcome> TryReceiveAsync(
        UploadAnnouncement announced,
        ECDsa siteKey,
        RunId run,
        long offset,
        IAsyncEnumerable<ReadOnlyMemory<byte>> chunks,
        CancellationToken cancellationToken)
    {
        if (book.Find(run) is null) return UploadOutcome.UnknownRun;
        var admitted = await TellAsync(run, new RunInput.Announced(announced.Site, announced.Digest));
        if (admitted is RunEffect.Answer { Outcome: var known })
        {
            if (known == UploadOutcome.Accepted) LogAcknowledgedAgain(announced.Site, run, announced.Digest.Abbreviated);
            return known;
        }

        var plan = ((RunEffect.Receive)admitted).Plan;

        using var span = telemetry.Begin("receive", run, plan.Round)?.SetTag("fedseg.site", announced.Site.ToString());
        var (update, refusal) = ReceivedUpdate.Check(announced, plan, siteKey, options.Value.MaximumUpdateBytes);
        if (update is null) return refusal;
        if (plan.MasksUpdates && !blind.AwaitsUpdate(announced.Site, plan)) return UploadOutcome.NotAwaited;

        ModelRef? weights = null;
        if (announced.Payload is { } payload)
        {
            var partial = PartialPath(plan, announced.Site, announced.Digest);
            DropOthers(partial);
            var outcome = await StoreAsync(partial, offset, announced.PayloadBytes, payload, chunks, cancellationToken);
            if (outcome == UploadOutcome.Accepted) outcome = update.CheckWeights(partial);
            // What is complete and wrong would be wrong for ever; what is merely incomplete waits for the rest.
            if (outcome is UploadOutcome.BytesDamaged or UploadOutcome.TensorsRefused or UploadOutcome.NotFinite) File.Delete(partial);
            if (outcome != UploadOutcome.Accepted) return outcome;

            weights = blobs.Adopt(partial, payload);
        }

        var stored = new RunInput.Stored
        {
            Report = update.Report,
            Digest = announced.Digest,
            Weights = weights,
            Signature = Convert.ToBase64String(announced.Signature),
        };
        return ((RunEffect.Answer)await TellAsync(run, stored)).Outcome;
    }

    /// <summary>Tells the run and does what follows, up to what is for the upload itself to do: receive it or answer it.</summary>
    private async Task<RunEffect> TellAsync(RunId run, RunInput input)
    {
        var (state, effects) = book.Step(run, input, time.GetUtcNow());
        if (effects.Any(effect => effect is RunEffect.Note)) await ledger.NoteAsync(state);
        return effects[^1];
    }

    /// <summary>Appends chunks to the partial file, proves it once complete, and flushes it to the disk.</summary>
    private static async Task<UploadOutcome> StoreAsync(
        string path, long offset, long length, Sha256Digest payload, IAsyncEnumerable<ReadOnlyMemory<byte>> chunks, CancellationToken cancellationToken)
    {
        using var file = await IncomingFile.OpenAsync(path, cancellationToken, toBeFlushed: true);
        if (file.Length != offset) return UploadOutcome.WrongOffset;
        await foreach (var chunk in chunks.WithCancellation(cancellationToken))
        {
            if (file.Length + chunk.Length > length) return UploadOutcome.TooLarge;
            file.Append(chunk.Span);
        }

        if (file.Length != length) return UploadOutcome.Incomplete;
        if (file.Digest != payload) return UploadOutcome.BytesDamaged;
        file.Flush();
        return UploadOutcome.Accepted;
    }

    /// <summary>A site has one update a round: what it began under another digest makes room.</summary>
    private static void DropOthers(string partial)
    {
        foreach (var other in Directory.EnumerateFiles(Path.GetDirectoryName(partial)!).Where(path => path != partial)) File.Delete(other);
    }

    private string PartialPath(RoundPlan plan, SiteId site, Sha256Digest digest) =>
        blobs.IncomingPath(Path.Combine(IncomingFolder(plan.Run, plan.Round), site.ToString()), digest + ".part");

    [LoggerMessage(122, LogLevel.Information, "Told {Site} again that its update to {Run} with digest {Digest} was accepted")]
    private partial void LogAcknowledgedAgain(SiteId site, RunId run, string digest);

    [LoggerMessage(121, LogLevel.Warning, "Refused an upload of {Site} to {Run}: {Outcome}")]
    private partial void LogRefused(SiteId site, RunId run, UploadOutcome outcome);
}
