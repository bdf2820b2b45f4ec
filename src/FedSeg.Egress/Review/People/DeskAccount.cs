namespace FedSeg.Egress.Review.People;

/// <summary>A person's account at this site.</summary>
public sealed record DeskAccount
{
    /// <summary>
    /// What the ledger names: 1 to 32 of <c>a-z 0-9 . -</c> for an account of this site, <c>oidc:</c> and the provider's name for somebody who signs in there.
    /// </summary>
    public required string Name { get; init; }

    public required DeskRole Role { get; init; }

    /// <summary>
    /// PBKDF2 with HMAC-SHA-512, in the format of ASP.NET Core Identity; <see langword="null"/> for somebody who signs in at the hospital's provider.
    /// </summary>
    public string? PasswordHash { get; init; }

    /// <summary>The id by which the hospital's provider knows this human; <see langword="null"/> when nobody said.</summary>
    public string? ProviderId { get; init; }

    /// <summary>Until when the provider's word counts; <see langword="null"/> for an account of this site.</summary>
    public DateTimeOffset? VouchedUntil { get; init; }

    /// <summary>By chance, anew with every password and every account: sessions begun before have ended.</summary>
    public string Stamp { get; init; } = "";

    /// <summary>Wrong passwords since the last right one.</summary>
    public int FailedAttempts { get; init; }

    /// <summary>Until when even the right password is refused.</summary>
    public DateTimeOffset? LockedUntil { get; init; }

    /// <summary>Who this is.</summary>
    public DeskPerson Person => ProviderId is { } id ? DeskPerson.OfProvider(id) : DeskPerson.OfAccount(Name);

    /// <summary>Whether something ordered at this time is this person's to order.</summary>
    public bool CountsAt(DateTimeOffset time) => VouchedUntil is not { } until || time <= until;
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
