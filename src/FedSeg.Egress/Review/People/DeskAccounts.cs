using System.Collections.Immutable;
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

    private const int LongestPassword = 256, AttemptsBeforeLock = 5;
    // OWASP's cheat sheet on password storage, for PBKDF2 with HMAC-SHA-512.
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

    /// <summary>Adds a person, or gives one a new password or role. Durable when this returns.</summary>
    /// <exception cref="InvalidDataException">Name or password break the rules; the message says how.</exception>
    public async Task SetAsync(string name, DeskRole role, string password, CancellationToken cancellationToken)
    {
        if (!Name().IsMatch(name)) throw new InvalidDataException("An account's name is 1 to 32 of a-z, 0-9, '.' and '-', starting with a letter.");
        if (password.Length is < ShortestPassword or > LongestPassword)
        {
            throw new InvalidDataException($"A password has {ShortestPassword} to {LongestPassword} characters; a few words in a row do.");
        }

        var account = new DeskAccount { Name = name, Role = role, PasswordHash = Hasher.HashPassword(name, password) };
        await using var turn = await TakeTurnAsync(cancellationToken);
        Write(Read().RemoveAll(other => other.Name == name).Add(account));
    }

    /// <summary>Closes an account.</summary>
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
        if (Find(name) is not { } account)
        {
            // As long as for a real account: the time taken must not tell which names exist.
            Hasher.VerifyHashedPassword("", Nobody.Value, password);
            return SignInOutcome.Wrong;
        }

        if (account.LockedUntil > _time.GetUtcNow()) return SignInOutcome.Locked;
        var right = Hasher.VerifyHashedPassword(name, account.PasswordHash, password) != PasswordVerificationResult.Failed;
        var after = right ? account with { FailedAttempts = 0, LockedUntil = null } : Failed(account);
        if (after != account) Write([.. All.Select(other => other.Name == name ? after : other)]);
        return right ? SignInOutcome.Welcome : SignInOutcome.Wrong;
    }

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
}
