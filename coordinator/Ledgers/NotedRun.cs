using System.Globalization;

namespace FedSeg.Coordinator.Ledgers;

/// <summary>Something the coordinator's ledger says of a run, once for each action, round, site and reason.</summary>
/// <param name="Action">What happened.</param>
/// <param name="Facts">Its run and round, and more where it has more.</param>
internal sealed record RunNote(string Action, IReadOnlyDictionary<string, string> Facts)
{
    public int Round => int.Parse(Facts["round"], CultureInfo.InvariantCulture);
}

/// <summary>
/// What the ledger says of a run already. Of rounds that are closed and noted only the number of the last is kept: memory grows with the
/// runs, not with their rounds. Not for several threads at once.
/// </summary>
internal sealed class NotedRun
{
    private Dictionary<(string Action, int Round, string? Site, string? Reason), Task> _notes = [];

    /// <summary>The last round of which everything is noted; -1 for none.</summary>
    public int ClosedThrough { get; private set; } = -1;

    /// <summary>The note that was made or is under way; <see langword="null"/> when it is neither, or its round is closed.</summary>
    public Task? Find(RunNote note) => _notes.GetValueOrDefault(KeyOf(note));

    /// <summary>A note is made or under way.</summary>
    /// <returns>The same.</returns>
    public Task Add(RunNote note, Task noted) => _notes[KeyOf(note)] = noted;

    /// <summary>A note could not be made.</summary>
    public void Remove(RunNote note, Task failed)
    {
        if (Find(note) == failed) _notes.Remove(KeyOf(note));
    }

    /// <summary>Everything of the rounds up to this one is in the ledger, and nothing will be added to them.</summary>
    public void Close(int round)
    {
        if (round <= ClosedThrough) return;
        ClosedThrough = round;
        _notes = _notes.Where(note => note.Key.Round > round).ToDictionary();
    }

    private static (string Action, int Round, string? Site, string? Reason) KeyOf(RunNote note) =>
        (note.Action, note.Round, note.Facts.GetValueOrDefault("site"), note.Facts.GetValueOrDefault("reason"));
}
