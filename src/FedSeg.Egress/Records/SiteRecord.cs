using FedSeg.Egress.Review;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress.Records;

/// <summary>What the site's ledger says, for gate and desk together: read up to its end before every question, and one decision at a time.</summary>
/// <param name="ledger">The site's ledger.</param>
internal sealed class SiteRecord(LedgerWriter ledger) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly EgressHistory _history = new();
    private readonly ReviewBook _book = new();

    /// <summary>Asks about earlier updates.</summary>
    public T History<T>(Func<EgressHistory, T> ask)
    {
        lock (_gate)
        {
            _history.CatchUp(LedgerReader.Open(ledger.Directory));
            return ask(_history);
        }
    }

    /// <summary>Asks about the desk.</summary>
    public T Book<T>(Func<ReviewBook, T> ask)
    {
        lock (_gate)
        {
            _book.CatchUp(LedgerReader.Open(ledger.Directory));
            return ask(_book);
        }
    }

    /// <summary>Never cancelled: a decision without its entry, or a sent update without its, would be a hole in the record.</summary>
    public Task<LedgerReceipt> NoteAsync(string action, Dictionary<string, string> facts) => ledger.AppendAsync(action, facts);

    /// <summary>Keeps others from deciding between a question and the entry that follows from its answer.</summary>
    public async Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        return new Turn(_turn);
    }

    public void Dispose() => _turn.Dispose();

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
