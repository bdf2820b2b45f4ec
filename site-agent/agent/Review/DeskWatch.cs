using System.Threading.Channels;
using FedSeg.Egress;
using FedSeg.Egress.Review;
using FedSeg.Federation.Identity;
using FedSeg.Ledger.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedSeg.SiteAgent.Review;

/// <summary>
/// Looks for people's orders twenty times a second, obeys them and tells which rounds need wait no longer. Orders given while no agent ran are obeyed before anything else
/// begins. It needs no network.
/// </summary>
internal sealed partial class DeskWatch(EgressGate gate, OrderBox box, TimeProvider time, ILogger<DeskWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50), ExpiryInterval = TimeSpan.FromSeconds(5);

    private readonly Channel<RunId> _answered = Channel.CreateUnbounded<RunId>();
    private readonly Channel<RunId> _left = Channel.CreateUnbounded<RunId>();
    private long _lastExpiry = time.GetTimestamp();
    private string? _policyProblem;

    /// <summary>The site's kill switch.</summary>
    public KillSwitch Switch => gate.Desk.Switch;

    /// <summary>Runs about which a person, or the clock, has decided something.</summary>
    public ChannelReader<RunId> Answered => _answered.Reader;

    /// <summary>Runs of a study that this site has just left.</summary>
    public ChannelReader<RunId> Left => _left.Reader;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await LookAsync();
        TellOfPolicy();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Interval, time, stoppingToken);
            await LookAsync();
        }
    }

    private async Task LookAsync()
    {
        try
        {
            // A halt does not stand in line behind orders that can't be dealt with.
            foreach (var placed in box.Read().OrderByDescending(placed => placed.Order is DeskOrder.Halt))
            {
                await ObeyAsync(placed.Order);
                OrderBox.Remove(placed);
            }

            if (time.GetElapsedTime(_lastExpiry) < ExpiryInterval) return;
            _lastExpiry = time.GetTimestamp();
            foreach (var run in await gate.Desk.ExpireAsync()) _answered.Writer.TryWrite(run);
            TellOfPolicy();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or LedgerCorruptException)
        {
            // The order stays in the box. Nothing that needs an entry in the ledger happens; a halt is in force without one.
            LogNotObeyed(error.Message);
        }
    }

    /// <summary>A policy that does not hold lets nothing leave: the operator is to know why, once for each reason.</summary>
    private void TellOfPolicy()
    {
        var problem = gate.Desk.PolicyProblem;
        if (problem == _policyProblem) return;
        if (problem is not null) LogNoPolicy(problem);
        else LogPolicyHolds();
        _policyProblem = problem;
    }

    private async Task ObeyAsync(DeskOrder order)
    {
        switch (await gate.Desk.ObeyAsync(order))
        {
            case OrderOutcome.Obeyed { What: var what, Answered: var answered, Left: var left }:
                LogObeyed(order.GetType().Name, order.By, what);
                foreach (var run in answered) _answered.Writer.TryWrite(run);
                foreach (var run in left) _left.Writer.TryWrite(run);
                break;
            case OrderOutcome.Refused { Why: var why }:
                LogRefused(order.GetType().Name, order.By, why);
                break;
        }
    }

    [LoggerMessage(453, LogLevel.Warning, "No egress policy holds, so nothing leaves: {Problem}")]
    private partial void LogNoPolicy(string problem);

    [LoggerMessage(454, LogLevel.Information, "An egress policy holds again")]
    private partial void LogPolicyHolds();

    [LoggerMessage(450, LogLevel.Information, "Obeyed {Order} of {By}: {What}")]
    private partial void LogObeyed(string order, string by, string what);

    [LoggerMessage(451, LogLevel.Warning, "Did not obey {Order} of {By}: {Why}")]
    private partial void LogRefused(string order, string by, string why);

    [LoggerMessage(452, LogLevel.Error, "An order or an expiry could not be dealt with yet: {Problem}")]
    private partial void LogNotObeyed(string problem);
}
