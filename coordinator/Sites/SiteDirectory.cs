using System.Collections.Concurrent;
using System.Collections.Immutable;
using FedSeg.Federation.Identity;

namespace FedSeg.Coordinator.Sites;

/// <summary>Which sites are attending now, and what their agents said of themselves. Rebuilt by the agents after a restart.</summary>
internal sealed partial class SiteDirectory(TimeProvider time, ILogger<SiteDirectory> logger)
{
    /// <summary>A broken line takes over once; two agents with one key do so from each other as often as they dial.</summary>
    private const int TakeoversOfTwo = 5;

    private static readonly TimeSpan Contest = TimeSpan.FromMinutes(10);

    /// <summary>How often it is said of one key that it is not the attending site's: whoever holds it tries again every few seconds.</summary>
    private static readonly TimeSpan StrangerSaidEvery = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<SiteId, Queue<long>> _takeovers = [];
    private readonly Dictionary<(SiteId Site, string Key), long> _strangers = [];
    private readonly Dictionary<SiteId, int> _sending = [];
    private readonly ConcurrentDictionary<SiteId, Attendance> _attending = [];

    /// <summary>Sites that attend now.</summary>
    public int Count => _attending.Count;

    /// <summary>Which, and those whose update is on its way: nobody who sends is away.</summary>
    public IReadOnlySet<SiteId> AtHand
    {
        get
        {
            lock (_gate) return _attending.Keys.Concat(_sending.Keys).ToImmutableHashSet();
        }
    }

    /// <summary>A site sends an update until what is returned is disposed.</summary>
    public IDisposable Sends(SiteId site) => new Sending(this, site);

    /// <summary>More than this between a site's clock and the coordinator's is an alarm: certificates and deadlines are judged by clocks.</summary>
    public static readonly TimeSpan LargestSkew = TimeSpan.FromMinutes(5);

    public Attendance? Find(SiteId site) => _attending.GetValueOrDefault(site);

    /// <summary>
    /// Notes an agent. A second connection with the same key takes over from the first, which ends: so does an agent whose line broke. One with another key is somebody else,
    /// and the first one stays.
    /// </summary>
    public Entrance Enter(SiteId site, Attendance attendance)
    {
        var contested = false;
        lock (_gate)
        {
            if (_attending.TryGetValue(site, out var first))
            {
                if (first.Key != attendance.Key)
                {
                    if (IsKnownStranger(site, attendance.Key)) return Entrance.RefusedAgain;
                    LogSecondSession(site, attendance.Key, first.Key);
                    return Entrance.Refused;
                }

                first.End();
                contested = IsContested(site);
            }

            _attending[site] = attendance;
        }

        LogEntered(site, attendance.AgentVersion, attendance.TrainerIsolated);
        if (attendance.HasWrongClock) LogSkew(site, attendance.ClockSkew.TotalSeconds);
        if (contested) LogSharedKey(site, attendance.Key);
        return contested ? Entrance.Contested : Entrance.Attends;
    }

    /// <summary>Notes that a connection ended, unless another one has taken over.</summary>
    public void Leave(SiteId site, Attendance attendance)
    {
        lock (_gate)
        {
            if (_attending.TryRemove(KeyValuePair.Create(site, attendance))) LogLeft(site);
        }
    }

    private bool IsKnownStranger(SiteId site, string key)
    {
        if (_strangers.TryGetValue((site, key), out var said) && time.GetElapsedTime(said) < StrangerSaidEvery) return true;
        _strangers[(site, key)] = time.GetTimestamp();
        return false;
    }

    /// <summary>Counts a takeover; told once for every <see cref="TakeoversOfTwo"/> that came close together.</summary>
    private bool IsContested(SiteId site)
    {
        var recent = _takeovers.TryGetValue(site, out var known) ? known : _takeovers[site] = [];
        recent.Enqueue(time.GetTimestamp());
        while (time.GetElapsedTime(recent.Peek()) > Contest) recent.Dequeue();
        if (recent.Count < TakeoversOfTwo) return false;
        recent.Clear();
        return true;
    }

    private sealed class Sending : IDisposable
    {
        private readonly SiteDirectory _sites;
        private readonly SiteId _site;

        public Sending(SiteDirectory sites, SiteId site)
        {
            (_sites, _site) = (sites, site);
            lock (_sites._gate) _sites._sending[_site] = _sites._sending.GetValueOrDefault(_site) + 1;
        }

        public void Dispose()
        {
            lock (_sites._gate)
            {
                if (_sites._sending[_site]-- == 1) _sites._sending.Remove(_site);
            }
        }
    }

    [LoggerMessage(210, LogLevel.Information, "Site {Site} attends with agent {Version}; its trainer is isolated from the network: {Isolated}")]
    private partial void LogEntered(SiteId site, string version, bool isolated);

    [LoggerMessage(213, LogLevel.Error, "Somebody attends as {Site} with key {Key} while the site itself does with key {First}; refused. Revoke the certificate that is not the site's")]
    private partial void LogSecondSession(SiteId site, string key, string first);

    [LoggerMessage(
        216, LogLevel.Error, "Two agents attend as {Site} with the same key {Key} and take over from each other. If the site runs one only, its key was copied: revoke the site")]
    private partial void LogSharedKey(SiteId site, string key);

    [LoggerMessage(214, LogLevel.Error, "The clock of {Site} is {Seconds} s away from this one; set the one that is wrong, certificates and deadlines depend on it")]
    private partial void LogSkew(SiteId site, double seconds);

    [LoggerMessage(211, LogLevel.Information, "Site {Site} left")]
    private partial void LogLeft(SiteId site);
}

/// <summary>What became of a connection that wants to attend.</summary>
internal enum Entrance
{
    /// <summary>The site attends with it.</summary>
    Attends,

    /// <summary>It does, and two agents seem to have its key.</summary>
    Contested,

    /// <summary>The site attends with another key.</summary>
    Refused,

    /// <summary>It does, and that was said of this key a short time ago.</summary>
    RefusedAgain,
}

/// <summary>What an agent says of itself when it attends.</summary>
/// <param name="AgentVersion">Its version.</param>
/// <param name="Labels">The labels its operator declared for the cohort.</param>
/// <param name="TrainerIsolated">Whether its trainer runs without a network.</param>
internal sealed record Attendance(string AgentVersion, ImmutableArray<string> Labels, bool TrainerIsolated) : IDisposable
{
    private readonly CancellationTokenSource _end = new();

    /// <summary>Cancelled when another connection has taken over.</summary>
    public CancellationToken Ended => _end.Token;

    /// <summary>Thumbprint of the key in its certificate.</summary>
    public string Key { get; init; } = "";

    /// <summary>How far its clock is ahead of the coordinator's.</summary>
    public TimeSpan ClockSkew { get; init; }

    /// <summary>Whether that is worth an alarm.</summary>
    public bool HasWrongClock => ClockSkew.Duration() > SiteDirectory.LargestSkew;

    /// <summary>Rounds that it works on or will go on with by itself.</summary>
    public ImmutableArray<(RunId Run, int Round)> InHand { get; init; } = [];

    /// <summary>Another connection has taken over.</summary>
    public void End() => _end.Cancel();

    /// <summary>Only when it has left the directory.</summary>
    public void Dispose() => _end.Dispose();

    // Two connections are never the same attendance, whatever they say.
    public bool Equals(Attendance? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
