using System.ComponentModel.DataAnnotations;

namespace FedSeg.Coordinator.Connections;

/// <summary>What strangers and members may hold open at each of the coordinator's doors, section <c>Coordinator:Connections</c>.</summary>
internal sealed class ConnectionOptions
{
    /// <summary>Connections at a door, those in their handshake included; further ones are closed at once.</summary>
    [Range(16, 100_000)]
    public int Maximum { get; set; } = 512;

    /// <summary>Handshakes under way at a door; one more costs the oldest of the address that has the most.</summary>
    [Range(1, 10_000)]
    public int MaximumHandshakes { get; set; } = 128;

    /// <summary>Connections of one certificate, or at the enrolment door of one address; further ones end after their handshake.</summary>
    [Range(1, 1000)]
    public int MaximumPerCaller { get; set; } = 16;

    /// <summary>
    /// Calls that a connection may take back unanswered within ten seconds; one more and it is cut. More than it may have open, 16, so that a client may take back all of
    /// them at once; fewer than the 32 that Kestrel follows before it cuts the connection by itself, after which nobody would be locked out.
    /// </summary>
    [Range(1, 31)]
    public int MaximumResets { get; set; } = 24;

    /// <summary>How long the caller is locked out then, seconds.</summary>
    [Range(1, 3600)]
    public int LockoutSeconds { get; set; } = 60;

    /// <summary>Longest handshake, seconds.</summary>
    [Range(1, 60)]
    public int HandshakeSeconds { get; set; } = 10;

    /// <summary>Longest time for a call's headers to come in, and for its message to begin to, seconds.</summary>
    [Range(2, 60)]
    public int RequestSeconds { get; set; } = 10;

    /// <summary>
    /// Longest time without a call, seconds. More than the minute after which .NET's clients close an idle connection themselves: otherwise
    /// calls would begin on connections that are just being closed.
    /// </summary>
    [Range(1, 3600)]
    public int IdleSeconds { get; set; } = 130;
}
