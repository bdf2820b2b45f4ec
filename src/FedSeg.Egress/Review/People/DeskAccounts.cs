using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using FedSeg.Federation;
using FedSeg.Hosting.Storage;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace FedSeg.Egress.Review.People;

/// <summary>
/// The accounts of a site's people, in one file. Every process that asks reads it anew, so a closed account counts at once; changes take a lock that holds between processes.
/// </summary>
public sealed partial class DeskAccounts
{
    /// <summary>Shortest password. Length beats classes of characters (NIST SP 800-63B, section 3.1.1.2).</summary>
    public const int ShortestPassword = 15;

    /// <summary>What the names of people begin with who sign in at the hospital's provider; no account of this site can.</summary>
    public const string ProviderPrefix = "oidc:";

    private const int LongestPassword = 256, AttemptsBeforeLock = 5, LongestProviderId = 255;
    // OWASP's cheat sheet on password storage, for PBKDF2 with HMAC-SHA-512; as strong as 600 000 with HMAC-SHA-256.
    private const int Iterations = 210_000;
    private static readonly TimeSpan LockTime = TimeSpan.FromMinutes(15), LongestTurn = TimeSpan.FromSeconds(10), TurnRetry = TimeSpan.FromMilliseconds(20);
    private static readonly PasswordHasher<string> Hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = Iterations }));
    private static readonly Lazy<string> Nobody = new(() => Hasher.HashPassword("", Guid.NewGuid().ToString()));

    private readonly string _path;
    private readonly TimeProvider _time;

    /// <param name="directory">The desk's folder; made when missing.</param>
    /// <param name="time">For locks.</param>
    public DeskAccounts(string directory, TimeProvider time)
    {
        _path = Path.Combine(DurableFile.CreateDirectory(directory), "accounts.json");
        _time = time;
    }

    /// <summary>Every account, by name.</summary>
    /// <exception cref="InvalidDataException">The file is damaged: nobody is let in.</exception>
    public ImmutableArray<DeskAccount> All => Read();

    public DeskAccount? Find(string name) => All.FirstOrDefault(account => account.Name == name);

    /// <inheritdoc cref="SetAsync(string, DeskRole, string, string?, CancellationToken)"/>
    public Task SetAsync(string name, DeskRole role, string password, CancellationToken cancellationToken) => SetAsync(name, role, password, providerId: null, cancellationToken);

    /// <summary>Adds an account of this site, or gives one a new password or role; its sessions end. Durable when this returns.</summary>
    /// <param name="name">What the ledger will name.</param>
    /// <param name="role">What it may do.</param>
    /// <param name="password">Kept as a hash only.</param>
    /// <param name="providerId">The id by which the hospital's provider knows the same human; <see langword="null"/> when there is none.</param>
    /// <param name="cancellationToken">Before it is written.</param>
    /// <exception cref="InvalidDataException">Name or password break the rules; the message says how.</exception>
    public async Task SetAsync(string name, DeskRole role, string password, string? providerId, CancellationToken cancellationToken)
    {
        if (!Name().IsMatch(name)) throw new InvalidDataException("An account's name is 1 to 32 of a-z, 0-9, '.' and '-', starting with a letter.");
        if (PasswordRules.Problem(name, password) is { } problem) throw new InvalidDataException(problem);
        if (providerId is { Length: 0 or > LongestProviderId }) throw new InvalidDataException($"A person's id has 1 to {LongestProviderId} characters.");
        var account = new DeskAccount { Name = name, Role = role, PasswordHash = Hasher.HashPassword(name, password), ProviderId = providerId, Stamp = NewStamp() };
        await using var turn = await TakeTurnAsync(cancellationToken);
        Write(Read().RemoveAll(other => other.Name == name).Add(account));
    }

    /// <summary>Enters what the hospital's provider said of somebody who has just signed in there. Durable when this returns.</summary>
    /// <param name="name">By which the provider calls them: 1 to 64 of letters, digits and <c>. _ @ + -</c>.</param>
    /// <param name="providerId">By which it tells them from everybody else, for good.</param>
    /// <param name="role">From their groups.</param>
    /// <param name="until">When they have to sign in again.</param>
    /// <param name="cancellationToken">Before it is written.</param>
    /// <returns>The account; <see langword="null"/> when it is no name, or another human had it before and nobody closed that account.</returns>
    public async Task<DeskAccount?> VouchAsync(string name, string providerId, DeskRole role, DateTimeOffset until, CancellationToken cancellationToken)
    {
        if (!ProviderName().IsMatch(name) || providerId.Length is 0 or > LongestProviderId) return null;
        await using var turn = await TakeTurnAsync(cancellationToken);
        var accounts = Read();
        var account = new DeskAccount { Name = ProviderPrefix + name.ToLowerInvariant(), Role = role, ProviderId = providerId, VouchedUntil = until, Stamp = NewStamp() };
        if (accounts.FirstOrDefault(other => other.Name == account.Name) is { } known)
        {
            if (known.ProviderId != providerId) return null;
            account = account with { Stamp = known.Stamp };
        }

        Write(accounts.RemoveAll(other => other.Name == account.Name).Add(account));
        return account;
    }

    /// <summary>Ends every session of an account.</summary>
    /// <returns>Whether there is one.</returns>
    public async Task<bool> EndSessionsAsync(string name, CancellationToken cancellationToken)
    {
        await using var turn = await TakeTurnAsync(cancellationToken);
        var accounts = Read();
        Write([.. accounts.Select(account => account.Name == name ? account with { Stamp = NewStamp() } : account)]);
        return accounts.Any(account => account.Name == name);
    }

    /// <summary>Closes an account; its sessions end.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        await using var turn = await TakeTurnAsync(cancellationToken);
        var accounts = Read();
        Write(accounts.RemoveAll(account => account.Name == name));
        return accounts.Any(account => account.Name == name);
    }

    /// <summary>
    /// Checks a password. Five wrong ones in a row lock the account for a quarter of an hour, on the disk, so a restart does not help; one attempt at a time, so many at
    /// once don't either.
    /// </summary>
    public async Task<SignInOutcome> SignInAsync(string name, string password, CancellationToken cancellationToken)
    {
        if (password.Length > LongestPassword) return SignInOutcome.Wrong;
        await using var turn = await TakeTurnAsync(cancellationToken);
        if (Find(name) is not { PasswordHash: { } hash } account)
        {
            // As long as for a real account: the time taken must not tell which names exist.
            Hasher.VerifyHashedPassword("", Nobody.Value, password);
            return SignInOutcome.Wrong;
        }

        if (account.LockedUntil > _time.GetUtcNow()) return SignInOutcome.Locked;
        var result = Hasher.VerifyHashedPassword(name, hash, password);
        var right = result != PasswordVerificationResult.Failed;
        var after = right ? account with { FailedAttempts = 0, LockedUntil = null } : Failed(account);
        // Hashed when fewer iterations were thought enough.
        if (result == PasswordVerificationResult.SuccessRehashNeeded) after = after with { PasswordHash = Hasher.HashPassword(name, password) };
        if (after != account) Write([.. All.Select(other => other.Name == name ? after : other)]);
        return right ? SignInOutcome.Welcome : SignInOutcome.Wrong;
    }

    private static string NewStamp() => RandomNumberGenerator.GetHexString(16, lowercase: true);

    private DeskAccount Failed(DeskAccount account) => account.FailedAttempts + 1 >= AttemptsBeforeLock
        ? account with { FailedAttempts = 0, LockedUntil = _time.GetUtcNow() + LockTime }
        : account with { FailedAttempts = account.FailedAttempts + 1 };

    private void Write(ImmutableArray<DeskAccount> accounts)
    {
        DurableFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(accounts, FederationJson.Options));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Between processes: page and command line may change the file.</summary>
    private async Task<FileStream> TakeTurnAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(_path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (_time.GetElapsedTime(started) < LongestTurn)
            {
                await Task.Delay(TurnRetry, _time, cancellationToken);
            }
        }
    }

    private ImmutableArray<DeskAccount> Read()
    {
        if (!File.Exists(_path)) return [];
        try
        {
            return JsonSerializer.Deserialize<ImmutableArray<DeskAccount>>(File.ReadAllBytes(_path), FederationJson.Options);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"The accounts in '{_path}' can't be read, so nobody is let in: {error.Message}", error);
        }
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9.-]{0,31}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    [GeneratedRegex(@"\A[A-Za-z0-9._@+-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ProviderName();
}
