using System.Collections.Concurrent;
using System.Collections.Immutable;
using FedSeg.Federation.Identity;

namespace FedSeg.Coordinator.Sites;

/// <summary>Which sites are attending now, and what their agents said of themselves. Rebuilt by the agents after a restart.</summary>
internal sealed partial class SiteDirectory(ILogger<SiteDirectory> logger)
{
    private readonly ConcurrentDictionary<SiteId, Attendance> _attending = [];

    /// <summary>Sites that attend now.</summary>
    public int Count => _attending.Count;

    /// <summary>Which.</summary>
    public IReadOnlySet<SiteId> Attending => _attending.Keys.ToImmutableHashSet();

    public Attendance? Find(SiteId site) => _attending.GetValueOrDefault(site);

    /// <summary>Notes an agent; a second connection of the same site takes over from the first.</summary>
    public void Enter(SiteId site, Attendance attendance)
    {
        _attending[site] = attendance;
        LogEntered(site, attendance.AgentVersion, attendance.TrainerIsolated);
    }

    /// <summary>Notes that a connection ended, unless another one has taken over.</summary>
    public void Leave(SiteId site, Attendance attendance)
    {
        if (_attending.TryRemove(KeyValuePair.Create(site, attendance))) LogLeft(site);
    }

    [LoggerMessage(210, LogLevel.Information, "Site {Site} attends with agent {Version}; its trainer is isolated from the network: {Isolated}")]
    private partial void LogEntered(SiteId site, string version, bool isolated);

    [LoggerMessage(211, LogLevel.Information, "Site {Site} left")]
    private partial void LogLeft(SiteId site);
}

/// <summary>What an agent says of itself when it attends.</summary>
/// <param name="AgentVersion">Its version.</param>
/// <param name="Labels">The labels its operator declared for the cohort.</param>
/// <param name="TrainerIsolated">Whether its trainer runs without a network.</param>
internal sealed record Attendance(string AgentVersion, ImmutableArray<string> Labels, bool TrainerIsolated)
{
    // Two connections are never the same attendance, whatever they say.
    public bool Equals(Attendance? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
