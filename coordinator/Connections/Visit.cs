using Microsoft.AspNetCore.Connections;

namespace FedSeg.Coordinator.Connections;

/// <summary>One connection at a door, from its handshake on.</summary>
internal sealed class Visit(ConnectionContext connection, string address)
{
    /// <summary>The connection itself.</summary>
    public ConnectionContext Connection { get; } = connection;

    /// <summary>Where it comes from.</summary>
    public string Address { get; } = address;

    /// <summary>Whose it is, once the handshake is over: the certificate's thumbprint, or where there is none the address.</summary>
    public string Caller { get; set; } = address;

    /// <summary>Calls that the caller took back unanswered since <see cref="ResetsSince"/>.</summary>
    public int Resets { get; set; }

    /// <summary>When counting them began.</summary>
    public long ResetsSince { get; set; }
}
