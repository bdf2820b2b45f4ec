namespace FedSeg.Coordinator.Connections;

/// <summary>Why a connection was closed before its time.</summary>
internal enum ConnectionRefusal
{
    /// <summary>Too many handshakes were under way, and this was the oldest of the address that had the most.</summary>
    Handshakes,

    /// <summary>The certificate, or the address of somebody without one, has as many connections as it may.</summary>
    CallersShare,

    /// <summary>Its calls were taken back as soon as they were made.</summary>
    Resets,

    /// <summary>Whose it is was cut for that a short while ago.</summary>
    LockedOut,
}
