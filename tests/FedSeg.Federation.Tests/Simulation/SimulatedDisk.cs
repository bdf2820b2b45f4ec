namespace FedSeg.Federation.Tests.Simulation;

/// <summary>
/// A disk that keeps only what was flushed. What was written and not flushed is read back until the machine crashes; then each such write is kept, lost or torn as
/// chance has it.
/// </summary>
/// <typeparam name="TRecord">What the disk's log holds.</typeparam>
internal sealed class SimulatedDisk<TRecord>(Chance chance)
{
    private readonly Dictionary<string, string> _durable = [];
    private readonly Dictionary<string, string> _written = [];
    private readonly List<TRecord> _log = [];

    /// <summary>Every write fails while it is set.</summary>
    public bool IsFull { get; set; }

    /// <summary>The log as it is read now.</summary>
    public IReadOnlyList<TRecord> Log => _log;

    /// <summary>How many of its records a crash can't take.</summary>
    public int DurableRecords { get; private set; }

    /// <exception cref="IOException">The disk is full; nothing was written.</exception>
    public void Write(string file, string content)
    {
        RefuseWhenFull();
        _written[file] = content;
    }

    public void Flush(string file)
    {
        if (_written.Remove(file, out var content)) _durable[file] = content;
    }

    /// <summary>Gives a file another name, over what had it; the name is durable, and the bytes as durable as they were.</summary>
    public void Rename(string file, string name)
    {
        var (from, content) = _written.Remove(file, out var unflushed) ? (_written, unflushed) : (_durable, _durable[file]);
        _durable.Remove(file);
        from[name] = content;
    }

    public string? Read(string file) => _written.GetValueOrDefault(file) ?? ReadDurable(file);

    public string? ReadDurable(string file) => _durable.GetValueOrDefault(file);

    public void Delete(string file)
    {
        _written.Remove(file);
        _durable.Remove(file);
    }

    /// <exception cref="IOException">The disk is full; nothing was written.</exception>
    public void Append(TRecord record)
    {
        RefuseWhenFull();
        _log.Add(record);
    }

    public void FlushLog() => DurableRecords = _log.Count;

    /// <summary>The machine lost its power. A torn record at the log's end is told by its checksum and dropped, as SQLite and the ledger do.</summary>
    public void Crash()
    {
        foreach (var (file, content) in _written)
        {
            if (chance.Happens(0.5)) continue;
            _durable[file] = chance.Happens(0.5) ? content : "torn " + content;
        }

        _written.Clear();
        var kept = DurableRecords + chance.Below(_log.Count - DurableRecords + 1);
        _log.RemoveRange(kept, _log.Count - kept);
        DurableRecords = kept;
    }

    private void RefuseWhenFull()
    {
        if (IsFull) throw new IOException("The simulated disk is full.");
    }
}
