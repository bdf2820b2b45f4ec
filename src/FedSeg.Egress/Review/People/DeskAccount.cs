namespace FedSeg.Egress.Review.People;

/// <summary>A person's account at this site.</summary>
public sealed record DeskAccount
{
    /// <summary>1 to 32 of <c>a-z 0-9 . -</c>; it is what the ledger names.</summary>
    public required string Name { get; init; }

    public required DeskRole Role { get; init; }

    /// <summary>PBKDF2 with HMAC-SHA-512, in the format of ASP.NET Core Identity.</summary>
    public required string PasswordHash { get; init; }

    /// <summary>Wrong passwords since the last right one.</summary>
    public int FailedAttempts { get; init; }

    /// <summary>Until when even the right password is refused.</summary>
    public DateTimeOffset? LockedUntil { get; init; }
}

/// <summary>What became of an attempt to sign in.</summary>
public enum SignInOutcome
{
    /// <summary>The person is who they say.</summary>
    Welcome,

    /// <summary>No such account, or another password. Which of the two is not told.</summary>
    Wrong,

    /// <summary>Too many wrong passwords; the account waits.</summary>
    Locked,
}
