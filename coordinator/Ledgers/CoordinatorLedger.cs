using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Witnessing;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Ledgers;

/// <summary>
/// The coordinator's own ledger: which updates it accepted and which it refused for good, which plans it froze and which models it published. Sites cosign it, so it can't be rewritten afterwards by the coordinator alone. What
/// the run journal holds and the ledger does not, after a crash between the two, is noted at the next opportunity.
/// </summary>
internal sealed class CoordinatorLedger : IDisposable
{
    private const string UpdateAccepted = "updateAccepted", UpdateRefused = "updateRefused", ModelPublished = "modelPublished", PlanFrozen = "planFrozen", SiteLedgerRefused = "siteLedgerRefused";

    private readonly ECDsa _key;
    private readonly LedgerWriter _writer;
    private readonly Lock _gate = new();
    private readonly HashSet<(string Site, string Reason)> _refused = [];
    private readonly Dictionary<RunId, NotedRun> _noted = [];

    public CoordinatorLedger(IOptions<CoordinatorOptions> options, TimeProvider time)
    {
        var data = Directory.CreateDirectory(options.Value.DataDirectory).FullName;
        _key = LedgerKeyFile.OpenOrCreate(Path.Combine(data, "ledger.key"));
        _writer = LedgerWriter.Open(Path.Combine(data, "ledger"), LedgerNames.Coordinator, _key, time);
        Witness = new Witness(Path.Combine(data, "witnessed"), LedgerNames.Coordinator, _key, time);
        string[] once = [UpdateAccepted, UpdateRefused, ModelPublished, PlanFrozen];
        foreach (var entry in Read().Entries().Where(entry => once.Contains(entry.Action)))
        {
            NotedOf(RunId.Parse(entry.Facts["run"])).Add(new RunNote(entry.Action, entry.Facts), Task.CompletedTask);
        }
    }

    /// <summary>Cosigns the sites' ledgers.</summary>
    public Witness Witness { get; }

    /// <summary>SubjectPublicKeyInfo in DER.</summary>
    public byte[] PublicKey => _writer.PublicKey;

    /// <summary>The ledger as it stands.</summary>
    public LedgerReader Read() => LedgerReader.Open(_writer.Directory);

    /// <summary>Notes what a run's journal holds and the ledger does not yet. Durable when the task completes.</summary>
    /// <exception cref="IOException">The disk refused; nothing may be acknowledged that was to be noted.</exception>
    public async Task NoteAsync(RunState run)
    {
        await NoteOnceAsync(run.Id, noted => FactsOf(run, noted.ClosedThrough));
        if (run.Rounds.LastOrDefault(round => round.ClosedAt is not null) is not { Plan.Round: var closed }) return;
        lock (_gate) NotedOf(run.Id).Close(closed);
    }

    /// <summary>
    /// Notes an update that can never count, once for each run, round, site and reason: a site that sends rubbish by the thousand does not
    /// fill the disk with it. Durable when the task completes.
    /// </summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public Task NoteRefusedAsync(RunState run, SiteId site, Sha256Digest update, UploadOutcome reason)
    {
        var facts = About(run, run.AllRounds.LastOrDefault()?.Plan.Round ?? 0);
        (facts["site"], facts["update"], facts["reason"]) = (site.ToString(), update.ToString(), reason.ToString());
        return NoteOnceAsync(run.Id, _ => [new RunNote(UpdateRefused, facts)]);
    }

    /// <summary>
    /// Notes that a site's ledger is not what it was, once for each reason until it is again (<see cref="NoteCosigned"/>): its agent asks every few seconds. Durable when the
    /// task completes.
    /// </summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public async Task NoteRefusalAsync(string site, string reason)
    {
        lock (_gate)
        {
            if (!_refused.Add((site, reason))) return;
        }

        try
        {
            await _writer.AppendAsync(SiteLedgerRefused, [new("site", site), new("reason", reason)]);
        }
        catch
        {
            lock (_gate) _refused.Remove((site, reason));
            throw;
        }
    }

    /// <summary>A site's ledger is what it was.</summary>
    public void NoteCosigned(string site)
    {
        lock (_gate) _refused.RemoveWhere(refused => refused.Site == site);
    }

    /// <summary>Notes what became of a site's identity: asked for, given, refused, doubted. Durable when the task completes.</summary>
    /// <param name="action">What happened.</param>
    /// <param name="site">Whose identity it is.</param>
    /// <param name="facts">Further facts.</param>
    public Task NoteIdentityAsync(IdentityEvent action, string site, params IEnumerable<KeyValuePair<string, string>> facts) =>
        _writer.AppendAsync(JsonNamingPolicy.CamelCase.ConvertName(action.ToString()), [new("site", site), .. facts]);

    /// <summary>See <see cref="LedgerWriter.KeepCosigned"/>.</summary>
    public void KeepCosigned(SignedCheckpoint cosigned, ECDsa siteLedgerKey) => _writer.KeepCosigned(cosigned, siteLedgerKey);

    public void Dispose()
    {
        _writer.Dispose();
        _key.Dispose();
    }

    private async Task NoteOnceAsync(RunId run, Func<NotedRun, IEnumerable<RunNote>> missing)
    {
        List<(RunNote Note, Task Noted)> notes;
        lock (_gate)
        {
            var noted = NotedOf(run);
            notes = [.. missing(noted).Select(note => (note, noted.Find(note) ?? noted.Add(note, AppendAsync(note))))];
        }

        try
        {
            await Task.WhenAll(notes.Select(note => note.Noted));
        }
        catch
        {
            // To be tried again with the next one.
            lock (_gate)
            {
                foreach (var (note, task) in notes.Where(note => note.Noted.IsFaulted)) NotedOf(run).Remove(note, task);
            }

            throw;
        }
    }

    /// <summary>Appends a note, and keeps nothing of the receipt: who wants a proof asks the log.</summary>
    private async Task AppendAsync(RunNote note) => await _writer.AppendAsync(note.Action, note.Facts);

    private NotedRun NotedOf(RunId run) => _noted.TryGetValue(run, out var noted) ? noted : _noted[run] = new NotedRun();

    /// <summary>What the ledger is to say of a run, without the rounds up to one: these are in it.</summary>
    private static IEnumerable<RunNote> FactsOf(RunState run, int closedThrough)
    {
        if (closedThrough < 0)
        {
            if (run.Rounds is [var opening, ..]) yield return new(ModelPublished, Model(run, 0, new ModelRef(opening.Plan.BaseModel, opening.Plan.BaseModelBytes)));
            if (run.Plan is { } plan) yield return new(PlanFrozen, new Dictionary<string, string>(About(run, 0)) { ["plan"] = plan.Sha256.ToString() });
        }

        foreach (var round in run.AllRounds.SkipWhile(round => round.Plan.Round <= closedThrough))
        {
            foreach (var (site, accepted) in round.Accepted)
            {
                var facts = About(run, round.Plan.Round);
                facts["site"] = site.ToString();
                facts["update"] = accepted.Digest.ToString();
                facts["signature"] = accepted.Signature;
                if (accepted.Weights is { } weights) (facts["payloadSha256"], facts["payloadBytes"]) = (weights.Sha256.ToString(), Number(weights.Bytes));
                yield return new(UpdateAccepted, facts);
            }

            if (round.Model is { } model) yield return new(ModelPublished, Model(run, round.Plan.Round, model));
        }
    }

    private static Dictionary<string, string> Model(RunState run, int round, ModelRef model) =>
        new(About(run, round)) { ["model"] = model.Sha256.ToString(), ["modelBytes"] = Number(model.Bytes) };

    private static Dictionary<string, string> About(RunState run, int round) =>
        new(StringComparer.Ordinal) { ["run"] = run.Id.ToString(), ["round"] = Number(round) };

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
