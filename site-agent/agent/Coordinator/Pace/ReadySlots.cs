using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Coordinator.Pace;

/// <summary>
/// When the outcome of a round may be noticed: at whole multiples of <see cref="PaceOptions.ReadyEveryMinutes"/> after the work began, and a little later by chance, so
/// that the time until something is heard of it does not tell how long the work took, and by that how many patients there are. Source: threat 28.
/// </summary>
/// <param name="options">The site's.</param>
/// <param name="time">Measures the work.</param>
/// <param name="random">Cryptographic, outside tests.</param>
internal sealed partial class ReadySlots(IOptions<AgentOptions> options, TimeProvider time, RandomNumberGenerator random, ILogger<ReadySlots> logger)
{
    /// <summary>Most that chance adds, as a share of a slot.</summary>
    public const double LargestDelay = 0.1;

    private readonly TimeSpan _slot = TimeSpan.FromMinutes(options.Value.Pace.ReadyEveryMinutes);

    /// <summary>Waits for the end of the slot in which the work ended; not at all where none are set.</summary>
    /// <param name="begun">The time stamp at which the work began.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task HoldAsync(long begun, CancellationToken cancellationToken)
    {
        if (_slot == TimeSpan.Zero) return;
        var worked = time.GetElapsedTime(begun);
        // A slot more where the work ended on the stroke: zero would be told from a wait.
        var end = _slot * (Math.Floor(worked / _slot) + 1 + LargestDelay * Chance());
        LogHeld((end - worked).TotalMinutes);
        await Task.Delay(end - worked, time, cancellationToken);
    }

    /// <summary>Uniform in 0 to 1.</summary>
    private double Chance()
    {
        Span<byte> draw = stackalloc byte[sizeof(uint)];
        random.GetBytes(draw);
        return BitConverter.ToUInt32(draw) / (double)uint.MaxValue;
    }

    [LoggerMessage(455, LogLevel.Information, "The work is done; nothing of it is told or sent for {Minutes:F1} min, as Agent:Pace:ReadyEveryMinutes says")]
    private partial void LogHeld(double minutes);
}
