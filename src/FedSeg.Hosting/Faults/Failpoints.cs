using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;

namespace FedSeg.Hosting.Faults;

/// <summary>
/// Named places of a program at which it can be made to fail on purpose, to prove that nothing is lost there. Compiled into the real programs, since only those prove
/// anything; nothing happens unless the environment arms one, which takes two variables.
/// </summary>
/// <remarks><c>FEDSEG_FAILPOINT=name:action[:nth][,…]</c>: the action happens when the place is reached for the nth time, 1 if not given.</remarks>
public sealed class Failpoints
{
    /// <summary>What is armed, such as <c>commit.before:kill</c>.</summary>
    public const string Variable = "FEDSEG_FAILPOINT";

    /// <summary>Has to be <c>yes</c> beside it, so that a stray variable does not end a hospital's program.</summary>
    public const string PermissionVariable = "FEDSEG_ALLOW_FAILPOINTS";

    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(1);

    private static readonly ImmutableDictionary<string, FailpointAction> Actions =
        Enum.GetValues<FailpointAction>().ToImmutableDictionary(action => action.ToString().ToLowerInvariant());

    private readonly Lock _gate = new();
    private readonly ImmutableArray<Armed> _armed;
    private readonly Dictionary<string, int> _hits = new(StringComparer.Ordinal);

    private Failpoints(ImmutableArray<Armed> armed) => _armed = armed;

    /// <summary>Nothing is armed.</summary>
    public static Failpoints None { get; } = new([]);

    /// <summary>Reads the two variables.</summary>
    /// <param name="names">The places the program has, each with a before and an after.</param>
    /// <exception cref="InvalidDataException">The permission is missing, or a place or action is unknown: the program must not start.</exception>
    public static Failpoints FromEnvironment(params IEnumerable<string> names) =>
        Read(Environment.GetEnvironmentVariable(Variable), Environment.GetEnvironmentVariable(PermissionVariable), names);

    /// <summary>Reads what the two variables say.</summary>
    /// <exception cref="InvalidDataException">As above.</exception>
    public static Failpoints Read(string? armed, string? permission, params IEnumerable<string> names)
    {
        if (string.IsNullOrEmpty(armed)) return None;
        if (permission != "yes") throw new InvalidDataException($"{Variable} is set and makes this program fail on purpose; unset it, or set {PermissionVariable}=yes as well.");
        var known = names.SelectMany(name => new[] { Before(name), After(name) }).ToHashSet(StringComparer.Ordinal);
        return new Failpoints([.. armed.Split(',').Select(text => Parse(text, known))]);
    }

    public static string Before(string name) => name + ".before";

    public static string After(string name) => name + ".after";

    /// <summary>A place is reached.</summary>
    /// <exception cref="FailpointException">The place is armed with <c>throw</c>.</exception>
    /// <exception cref="IOException">It is armed with <c>enospc</c>.</exception>
    public void Hit(string place)
    {
        if (_armed.IsEmpty) return;
        foreach (var armed in Due(place)) Fail(armed);
    }

    /// <summary>Does something between the two places of its name.</summary>
    public async Task<T> AroundAsync<T>(string name, Func<Task<T>> action)
    {
        Hit(Before(name));
        var result = await action();
        Hit(After(name));
        return result;
    }

    /// <summary>Does something between the two places of its name.</summary>
    public T Around<T>(string name, Func<T> action)
    {
        Hit(Before(name));
        var result = action();
        Hit(After(name));
        return result;
    }

    private List<Armed> Due(string place)
    {
        lock (_gate)
        {
            var hits = _hits[place] = _hits.GetValueOrDefault(place) + 1;
            return [.. _armed.Where(armed => armed.Place == place && armed.Nth == hits)];
        }
    }

    private static void Fail(Armed armed)
    {
        Console.Error.WriteLine($"Failpoint {armed.Place}: {armed.Action}");
        switch (armed.Action)
        {
            case FailpointAction.Kill:
                using (var self = Process.GetCurrentProcess()) self.Kill();
                // The signal is on its way; nothing more may happen here.
                Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System).Wait();
                break;
            case FailpointAction.Throw:
                throw new FailpointException(armed.Place);
            case FailpointAction.Enospc:
                throw new IOException($"No space left on device (failpoint {armed.Place}).");
            case FailpointAction.Delay:
                // Holds whatever is held here, locks too.
                Task.Delay(Delay, TimeProvider.System).Wait();
                break;
        }
    }

    private static Armed Parse(string text, HashSet<string> known)
    {
        var parts = text.Split(':');
        var nth = 1;
        if (parts.Length is < 2 or > 3
            || !Actions.TryGetValue(parts[1], out var action)
            || parts.Length == 3 && !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out nth)
            || nth < 1)
        {
            throw new InvalidDataException($"{Variable} has '{text}'; write name:action[:nth] with the action kill, throw, delay or enospc and nth from 1.");
        }

        return known.Contains(parts[0])
            ? new Armed(parts[0], action, nth)
            : throw new InvalidDataException($"{Variable} names '{parts[0]}', which this program does not have; it has: {string.Join(", ", known.Order(StringComparer.Ordinal))}");
    }

    private sealed record Armed(string Place, FailpointAction Action, int Nth);
}

/// <summary>What happens at an armed place.</summary>
public enum FailpointAction
{
    /// <summary>The process ends at once, as by <c>kill -9</c>.</summary>
    Kill,

    /// <summary>An exception that nobody expects.</summary>
    Throw,

    /// <summary>The thread is held for a second.</summary>
    Delay,

    /// <summary>As if the disk were full.</summary>
    Enospc,
}

/// <summary>Thrown on purpose.</summary>
public sealed class FailpointException(string place) : Exception($"Failpoint {place} threw, as {Failpoints.Variable} asked.");
