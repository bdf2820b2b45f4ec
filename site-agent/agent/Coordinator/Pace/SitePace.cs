using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Coordinator.Pace;

/// <summary>
/// How fast, and in which hours, models and updates may move at this site. A transfer that is under way when the hours end is ended; it
/// goes on from there when they begin again, because both ends keep what has arrived.
/// </summary>
internal sealed partial class SitePace(IOptions<AgentOptions> options, TimeProvider time, ILogger<SitePace> logger)
{
    /// <summary>
    /// Looked at again so often while nothing may move: clocks are set, and a night is an hour shorter or longer twice a year.
    /// </summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(15);

    private readonly LineMeter _up = new(time), _down = new(time);
    private readonly PaceOptions _options = options.Value.Pace;
    private readonly (DailyHours Hours, PaceWindowOptions Pace)[] _windows =
        [.. options.Value.Pace.Windows.Select(window =>
            (DailyHours.TryParse(window.Hours, out var hours) ? hours : throw new FormatException(window.Hours), window))];

    /// <summary>Whether models and updates may move now.</summary>
    public bool IsOpen => Caps() is not null;

    /// <summary>For the people who set it; <see langword="null"/> where nothing was set.</summary>
    public string? Description
    {
        get
        {
            if (!_options.IsSet) return null;
            var always = _options.OnlyInWindows ? "nothing outside these hours"
                : Words(_options.UpBytesPerSecond, _options.DownBytesPerSecond);
            return string.Join("; ", [always, .. _windows
                .Select(window => $"{window.Hours} {Words(window.Pace.UpBytesPerSecond, window.Pace.DownBytesPerSecond)}")]);
        }
    }

    /// <summary>Waits for the hours in which something may move.</summary>
    public async Task WaitUntilOpenAsync(CancellationToken cancellationToken)
    {
        if (IsOpen) return;
        LogWaiting(Description!);
        while (!IsOpen)
        {
            var now = TimeOnly.FromTimeSpan(time.GetLocalNow().TimeOfDay);
            var next = _windows.Min(window => window.Hours.Until(now));
            await Task.Delay(next < LongestSleep ? next : LongestSleep, time, cancellationToken);
        }
    }

    /// <summary>Waits until a piece of an update may be sent.</summary>
    /// <returns>Whether it may; not when the hours have ended.</returns>
    public ValueTask<bool> MaySendAsync(int bytes, CancellationToken cancellationToken) =>
        MayMoveAsync(_up, bytes, caps => caps.Up, cancellationToken);

    /// <summary>Waits until the next piece of a model may be taken.</summary>
    /// <param name="bytes">What the last one had.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether it may; not when the hours have ended.</returns>
    public ValueTask<bool> MayReceiveAsync(int bytes, CancellationToken cancellationToken) =>
        MayMoveAsync(_down, bytes, caps => caps.Down, cancellationToken);

    private async ValueTask<bool> MayMoveAsync(LineMeter line, int bytes, Func<(long Up, long Down), long> capOf,
        CancellationToken cancellationToken)
    {
        if (Caps() is not { } caps) return false;
        await line.MoveAsync(bytes, capOf(caps), cancellationToken);
        return true;
    }

    /// <summary>What holds now; <see langword="null"/> while nothing may move.</summary>
    private (long Up, long Down)? Caps()
    {
        if (_windows.Length == 0) return (_options.UpBytesPerSecond, _options.DownBytesPerSecond);
        var now = TimeOnly.FromTimeSpan(time.GetLocalNow().TimeOfDay);
        var window = _windows.FirstOrDefault(window => window.Hours.Contains(now)).Pace;
        return window is not null ? (window.UpBytesPerSecond, window.DownBytesPerSecond)
            : _options.OnlyInWindows ? null
            : (_options.UpBytesPerSecond, _options.DownBytesPerSecond);
    }

    private static string Words(long up, long down) => $"up {Words(up)}, down {Words(down)}";

    private static string Words(long cap) => cap == 0 ? "no cap" : string.Create(CultureInfo.InvariantCulture, $"{cap / 1000.0:0.#} kB/s");

    [LoggerMessage(460, LogLevel.Information, "Models and updates wait for their hours: {Pace}")]
    private partial void LogWaiting(string pace);
}
