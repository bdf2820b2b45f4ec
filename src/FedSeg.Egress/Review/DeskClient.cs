using FedSeg.Egress.Charters;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Patients;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Records;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress.Review;

/// <summary>
/// The desk for a process beside the agent, the officer's page or the command line: it reads what the agent writes, and all it can do is place an order. The ledger has one
/// writer, and that is not it.
/// </summary>
public sealed class DeskClient
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly string _ledger;
    private readonly UpdateOutbox _outbox;
    private readonly OrderBox _box;
    private readonly ReviewBook _book = new();
    private readonly TimeProvider _time;

    /// <param name="dataDirectory">The agent's data folder.</param>
    /// <param name="time">Stamps orders.</param>
    public DeskClient(string dataDirectory, TimeProvider time)
    {
        _ledger = Path.Combine(dataDirectory, "ledger");
        _outbox = new UpdateOutbox(Path.Combine(dataDirectory, "outbox"));
        _box = new OrderBox(OrdersOf(dataDirectory));
        _time = time;
        Plans = new PlanFiles(FolderOf(dataDirectory));
        Policies = new PolicyFiles(FolderOf(dataDirectory));
        Charters = new CharterFiles(FolderOf(dataDirectory));
        Patients = new PatientRecords(FolderOf(dataDirectory));
        Accounts = new DeskAccounts(FolderOf(dataDirectory), time);
    }

    /// <summary>The desk's folder in the agent's data folder.</summary>
    public static string FolderOf(string dataDirectory) => Path.Combine(dataDirectory, "desk");

    /// <summary>The folder of orders.</summary>
    public static string OrdersOf(string dataDirectory) => Path.Combine(FolderOf(dataDirectory), "orders");

    public DeskAccounts Accounts { get; }

    /// <summary>Policies that were put before two people.</summary>
    public PolicyFiles Policies { get; }

    /// <summary>Which patients each round used.</summary>
    public PatientRecords Patients { get; }

    /// <summary>Signed charters, whatever people said about them.</summary>
    public CharterFiles Charters { get; }

    /// <summary>The terms of runs.</summary>
    public PlanFiles Plans { get; }

    /// <summary>The site's ledger as it stands; <see langword="null"/> before the agent's first start.</summary>
    /// <exception cref="LedgerCorruptException">It is broken.</exception>
    public LedgerReader? Ledger() => Directory.Exists(_ledger) ? LedgerReader.Open(_ledger) : null;

    /// <summary>Asks about the desk as the ledger knows it now.</summary>
    /// <exception cref="LedgerCorruptException">The ledger is broken.</exception>
    public T Ask<T>(Func<ReviewBook, T> ask)
    {
        lock (_gate)
        {
            if (Ledger() is { } ledger) _book.CatchUp(ledger);
            return ask(_book);
        }
    }

    /// <summary>The policy that holds at the site, or why none does.</summary>
    /// <param name="path">The site's policy file.</param>
    public (EgressPolicy? Policy, string? Problem) PolicyInForce(string path) => Policies.InForce(path, Ask(book => book.HeldPolicy));

    /// <summary>What was measured of a waiting update.</summary>
    public ReviewSummary? FindSummary(Sha256Digest update) => _outbox.FindSummary(update);

    /// <summary>The report exactly as it would leave, and where the weights lie; <see langword="null"/> when they are not, bit for bit, what was sealed.</summary>
    public async Task<SealedBytes?> FindBytesAsync(Sha256Digest update, CancellationToken cancellationToken) =>
        await _outbox.FindAsync(update, cancellationToken) is { } found ? new SealedBytes(found.Report, found.ReportBytes, found.Payload) : null;

    /// <summary>Places an order and waits for the ledger to say what became of it.</summary>
    /// <param name="order">The order of a signed-in person.</param>
    /// <param name="patience">How long to wait. An order that was not dealt with by then stays placed.</param>
    /// <param name="cancellationToken">Stops waiting; the order stays placed.</param>
    /// <returns>The ledger's entry about it; <see langword="null"/> when there is none yet.</returns>
    public async Task<LedgerEntry?> GiveAsync(DeskOrder order, TimeSpan patience, CancellationToken cancellationToken)
    {
        var from = Ledger()?.Count ?? 0;
        _box.Place(order);
        var started = _time.GetTimestamp();
        while (_time.GetElapsedTime(started) < patience)
        {
            if (Ledger() is { } ledger)
            {
                var answer = ledger.Entries(from).FirstOrDefault(entry => IsAbout(entry, order.Id));
                if (answer is not null) return answer;
                from = ledger.Count;
            }

            await Task.Delay(Poll, _time, cancellationToken);
        }

        return null;
    }

    /// <summary>The ledger's entry about an order of late; <see langword="null"/> when there is none.</summary>
    public LedgerEntry? FindAnswer(string order)
    {
        const long lookedAt = 1000;
        return Ledger() is { } ledger ? ledger.Entries(Math.Max(0, ledger.Count - lookedAt)).FirstOrDefault(entry => IsAbout(entry, order)) : null;
    }

    /// <summary>Why an order was refused, from the ledger's entry about it; <see langword="null"/> when it was obeyed.</summary>
    public static string? RefusalIn(LedgerEntry answer) => answer.Action == EgressRecords.OrderRefused ? answer.Facts[EgressRecords.Why] : null;

    private static bool IsAbout(LedgerEntry entry, string order) => entry.Facts.TryGetValue(EgressRecords.Order, out var id) && id == order;
}

/// <summary>What would leave, bit for bit.</summary>
/// <param name="Report">The report, read.</param>
/// <param name="ReportBytes">Its bytes as they travel.</param>
/// <param name="Weights">The weights file; <see langword="null"/> for an evaluation.</param>
public sealed record SealedBytes(SiteReport Report, ReadOnlyMemory<byte> ReportBytes, SealedPayload? Weights)
{
    /// <summary>Length of report and weights together.</summary>
    public long Bytes => ReportBytes.Length + (Weights?.Bytes ?? 0);
}
