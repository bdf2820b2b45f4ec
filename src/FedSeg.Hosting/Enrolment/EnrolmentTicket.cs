namespace FedSeg.Hosting.Enrolment;

/// <summary>One single-use token for one site, and what came of it. The token itself is not kept.</summary>
public sealed record EnrolmentTicket
{
    /// <summary>The site it was made for.</summary>
    public required string Site { get; init; }

    /// <summary>SHA-256 of the token, 64 lower-case hexadecimal digits.</summary>
    public required string TokenHash { get; init; }

    /// <summary>Until when a key may be presented with it.</summary>
    public required DateTimeOffset Ends { get; init; }

    /// <summary>Thumbprint of the one key it is good for: from the beginning, or since one was presented with it.</summary>
    public string? Key { get; init; }

    /// <summary>The request that waits for a person, PEM.</summary>
    public string? Request { get; init; }

    /// <summary>When it came.</summary>
    public DateTimeOffset? PresentedAt { get; init; }

    /// <summary>The certificate, PEM, once a person has confirmed the key.</summary>
    public string? Certificate { get; init; }

    /// <summary>When the site fetched it first.</summary>
    public DateTimeOffset? CollectedAt { get; init; }
}

/// <summary>Why a token opens nothing.</summary>
public enum EnrolmentRefusal
{
    /// <summary>Nobody made such a token.</summary>
    UnknownToken,

    /// <summary>It came after its end, or nobody confirmed its key in time.</summary>
    TooLate,

    /// <summary>It was made for another site.</summary>
    OtherSite,

    /// <summary>It is bound to another key, or another key was presented with it before.</summary>
    OtherKey,

    /// <summary>Its certificate was handed out.</summary>
    Used,

    /// <summary>What came with it is no certificate request for a P-256 key.</summary>
    BadRequest,
}

/// <summary>What presenting a token leads to.</summary>
public abstract record EnrolmentAnswer
{
    private EnrolmentAnswer()
    {
    }

    /// <summary>A person has to confirm the key.</summary>
    /// <param name="Key">Its thumbprint, for the person at the other side to compare.</param>
    /// <param name="IsNew">Whether it came just now.</param>
    public sealed record Waiting(string Key, bool IsNew) : EnrolmentAnswer;

    /// <summary>Confirmed.</summary>
    /// <param name="Certificate">PEM.</param>
    /// <param name="IsNew">Whether it is handed out for the first time.</param>
    public sealed record Enrolled(string Certificate, bool IsNew) : EnrolmentAnswer;

    /// <summary>No.</summary>
    /// <param name="Reason">Why.</param>
    /// <param name="MadeFor">Whose token it was; <see langword="null"/> when there is no such token.</param>
    public sealed record Refused(EnrolmentRefusal Reason, string? MadeFor) : EnrolmentAnswer;
}
