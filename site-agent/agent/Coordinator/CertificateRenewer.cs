using FedSeg.Egress.Review;
using FedSeg.Protocol.V1;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedSeg.SiteAgent.Coordinator;

/// <summary>
/// Has the site's certificate renewed when two thirds of its life are over, and tries again until it is. The key stays, so a run under way does not notice: calls under way
/// end with the certificate they began with, new ones go out with the new one. The call carries nothing of the site, and yet none is made while the kill switch is thrown.
/// </summary>
internal sealed partial class CertificateRenewer(CoordinatorChannel channel, KillSwitch halt, TimeProvider time, ILogger<CertificateRenewer> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMinutes(1), LongestWait = TimeSpan.FromHours(1);

    private readonly Protocol.V1.Federation.FederationClient _client = new(channel.Calls);

    private DateTimeOffset Ends => channel.Certificate.NotAfter;

    private DateTimeOffset Due => Ends - (channel.Certificate.NotAfter - channel.Certificate.NotBefore) / 3;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            // Never longer than an hour, because clocks are set and machines are suspended.
            var untilDue = Due - time.GetUtcNow();
            if (untilDue > TimeSpan.Zero) await Task.Delay(untilDue < LongestWait ? untilDue : LongestWait, time, stoppingToken);
            else if (!await RenewUnlessHaltedAsync(stoppingToken)) await Task.Delay(Retry, time, stoppingToken);
        }
    }

    private TimeSpan Retry => TimeSpan.FromTicks(Math.Clamp((Ends - time.GetUtcNow()).Ticks / 20, ShortestWait.Ticks, LongestWait.Ticks));

    private async Task<bool> RenewUnlessHaltedAsync(CancellationToken cancellationToken)
    {
        await halt.WhenReleasedAsync(cancellationToken);
        using var calling = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, halt.Thrown);
        try
        {
            return await RenewAsync(calling.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Hung up; asked again when it is released.
            return true;
        }
    }

    private async Task<bool> RenewAsync(CancellationToken cancellationToken)
    {
        try
        {
            var reply = await CoordinatorChannel.ConnectedAsync(
                async () => await _client.RenewCertificateAsync(new RenewalRequest(), deadline: channel.Deadline, cancellationToken: cancellationToken), cancellationToken);
            if (reply.OutcomeCase != RenewalReply.OutcomeOneofCase.Certificate)
            {
                LogNotRenewed(Ends, reply.Refusal);
                return false;
            }

            channel.Renew(reply.Certificate, reply.Issuer);
            LogRenewed(Ends);
            // A certificate that is due at once would be asked for without end.
            return Due > time.GetUtcNow();
        }
        catch (Exception error) when (error is ConnectionLostException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            LogNotRenewed(Ends, error.Message);
            return false;
        }
    }

    [LoggerMessage(240, LogLevel.Information, "The site's certificate was renewed; the new one ends {Ends:u}")]
    private partial void LogRenewed(DateTimeOffset ends);

    [LoggerMessage(241, LogLevel.Warning, "The site's certificate ends {Ends:u} and could not be renewed: {Problem}. Without another one (fedseg provision) the site is shut out then")]
    private partial void LogNotRenewed(DateTimeOffset ends, string problem);
}
