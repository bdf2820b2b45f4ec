using FedSeg.Protocol.Transfer;

namespace FedSeg.SiteAgent.Coordinator.Pace;

/// <summary>
/// How fast and when models and updates may move, section <c>Agent:Pace</c>. What is said about them, and everything else, is small and
/// moves at any time.
/// </summary>
internal sealed class PaceOptions
{
    /// <summary>
    /// A smaller cap would look like a dead line: the coordinator ends a transfer that stays below <see cref="TransferPace.Default"/>, and
    /// what moves comes in pieces of
    /// <see cref="FileChunks.ChunkBytes"/>, so that a window of its watch can hold less than the average.
    /// </summary>
    public static readonly long LeastBytesPerSecond = 2 * TransferPace.Default.BytesPerSecond;

    private const int LongestSlotMinutes = 24 * 60;

    /// <summary>Updates, bytes per second; 0 for no cap.</summary>
    public long UpBytesPerSecond { get; set; }

    /// <summary>Models, bytes per second; 0 for no cap.</summary>
    public long DownBytesPerSecond { get; set; }

    /// <summary>Whether nothing moves outside the windows.</summary>
    public bool OnlyInWindows { get; set; }

    /// <summary>
    /// What becomes of a round's work is told and sent at the earliest at a whole multiple of so many minutes after it began; 0 for at once.
    /// </summary>
    public int ReadyEveryMinutes { get; set; }

    /// <summary>Hours with caps of their own.</summary>
    public PaceWindowOptions[] Windows { get; set; } = [];

    /// <summary>Whether anything is held back at all.</summary>
    internal bool IsSet => UpBytesPerSecond > 0 || DownBytesPerSecond > 0 || Windows.Length > 0;

    /// <summary>What is wrong, in words that name the key; empty when nothing is.</summary>
    internal IEnumerable<string> Problems()
    {
        if (ReadyEveryMinutes is < 0 or > LongestSlotMinutes) yield return $"Agent:Pace:ReadyEveryMinutes is {ReadyEveryMinutes}; it must be from 0 to {LongestSlotMinutes}.";
        foreach (var problem in ProblemsOf("Agent:Pace", UpBytesPerSecond, DownBytesPerSecond)) yield return problem;
        if (OnlyInWindows && Windows.Length == 0) yield return "Agent:Pace:OnlyInWindows is true and Agent:Pace:Windows is empty: nothing would ever move; name hours such as \"22:00-06:00\".";
        for (var i = 0; i < Windows.Length; i++)
        {
            var (key, window) = ($"Agent:Pace:Windows:{i}", Windows[i]);
            foreach (var problem in ProblemsOf(key, window.UpBytesPerSecond, window.DownBytesPerSecond)) yield return problem;
            if (!DailyHours.TryParse(window.Hours, out var hours))
            {
                yield return $"{key}:Hours is '{window.Hours}'; give a beginning and another end in local time, such as 22:00-06:00.";
                continue;
            }

            if (Windows[..i].FirstOrDefault(other => DailyHours.TryParse(other.Hours, out var earlier)
                && earlier.Overlaps(hours)) is { } twice)
            {
                yield return $"{key}:Hours is '{window.Hours}', which overlaps '{twice.Hours}'; two caps can't hold at once.";
            }
        }
    }

    private static IEnumerable<string> ProblemsOf(string key, long up, long down)
    {
        foreach (var (name, value) in new[] { ("Up", up), ("Down", down) })
        {
            if (value != 0 && value < LeastBytesPerSecond)
            {
                yield return $"{key}:{name}BytesPerSecond is {value}; it must be 0 for no cap or at least {LeastBytesPerSecond}: the coordinator takes a line slower than "
                    + $"{TransferPace.Default.BytesPerSecond} bytes a second for dead and ends the transfer.";
            }
        }
    }
}

/// <summary>Hours of every day and what holds in them.</summary>
internal sealed class PaceWindowOptions
{
    /// <summary>The site's local time, such as <c>22:00-06:00</c>; the end is not in it.</summary>
    public string Hours { get; set; } = "";

    /// <summary>Updates, bytes per second; 0 for no cap.</summary>
    public long UpBytesPerSecond { get; set; }

    /// <summary>Models, bytes per second; 0 for no cap.</summary>
    public long DownBytesPerSecond { get; set; }
}
