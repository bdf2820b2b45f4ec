namespace FedSeg.Importer.Pacs;

/// <summary>Why the PACS did not give what it was asked for; a code for logs and reports.</summary>
internal enum PacsFault
{
    /// <summary>No connection.</summary>
    Unreachable,

    /// <summary>TLS failed: the certificate is not of a trusted authority or not of this host, or ours was not accepted.</summary>
    Untrusted,

    /// <summary>Nothing came for <see cref="PacsOptions.SilenceSeconds"/>.</summary>
    Silent,

    /// <summary>The connection ended in the middle of an answer.</summary>
    ConnectionLost,

    /// <summary>It is overloaded or broken: status 408, 429 or 5xx.</summary>
    Busy,

    /// <summary>Status 401 or 403.</summary>
    AccessDenied,

    /// <summary>Status 404 or 410.</summary>
    NotFound,

    /// <summary>It pointed elsewhere; the importer talks to one address only.</summary>
    Redirected,

    /// <summary>The answer is not what DICOMweb prescribes.</summary>
    UnexpectedAnswer,

    /// <summary>The answer is beyond a limit of <see cref="PacsOptions"/>.</summary>
    LimitExceeded,
}

/// <summary>A request to the PACS failed. The message names no study and no patient.</summary>
internal sealed class PacsException(PacsFault fault, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public PacsFault Fault { get; } = fault;

    /// <summary>How long the PACS asked to be left alone, where it said so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the same request may succeed a little later.</summary>
    public bool IsTransient => Fault is PacsFault.Unreachable or PacsFault.Silent or PacsFault.ConnectionLost or PacsFault.Busy;
}
