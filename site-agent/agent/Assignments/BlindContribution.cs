using System.Security.Cryptography;
using FedSeg.Egress;
using FedSeg.Egress.Outbox;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Server;
using FedSeg.SecureAggregation.Sites;
using FedSeg.SiteAgent.Coordinator;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Assignments;

/// <summary>
/// A site's part in a blind round, after its update was approved: exchange keys and shares, mask, send, and help to unmask the sum. The
/// keys live here and die with the
/// exchange; an agent that is restarted in the middle counts as one that dropped out.
/// </summary>
internal sealed partial class BlindContribution(
    CoordinatorClient coordinator,
    BlindPeer peer,
    EgressGate gate,
    IOptions<AgentOptions> options,
    TimeProvider time,
    ILogger<BlindContribution> logger)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromSeconds(8);
    private readonly SiteId _site = SiteId.Parse(options.Value.Site);

    /// <summary>Takes an approved update through the round's exchange. Waits for the other sites as long as the run goes on.</summary>
    /// <exception cref="PayloadChangedException">The weights are not what was approved.</exception>
    /// <exception cref="IOException">The disk refused to mask; the keys are lost, and with them this site's part in the round.</exception>
    public async Task<BlindResult> ContributeAsync(RoundPlan plan, ClearedUpdate update, CancellationToken cancellationToken)
    {
        // Masked before a restart: what was shared then is enough for the others to unmask the sum.
        if (!update.MustBeMasked) return new BlindResult.Delivered(update, await SendAsync(update, cancellationToken));
        if (gate.Blind.FewestSitesOf(plan) is not { } fewest) return new BlindResult.Ended(DropReason.RefusedByPolicy);
        if (!plan.Blind!.Sites.Contains(_site)) return new BlindResult.Ended(DropReason.PlanRefused);

        var credential = peer.OpenCredential();
        using var key = credential.Key;
        var trust = new FederationTrust(options.Value.Authority, time);
        ECDsa? Check(SiteId site, byte[] certificate) => SiteCertificates.FindKey(certificate, site.ToString(), trust.Roots);
        using var client = new SumClient(SumContext.Of(plan), _site, credential, Check, fewest, RandomNumberGenerator.Create());

        var shares = await ShareKeysAsync(plan, client, cancellationToken);
        if (shares.Message is null) return new BlindResult.Ended(shares.End);
        if (client.AcceptShares(
            shares.Message) is StepOutcome.Aborted { Abort: var abort }) return new BlindResult.Ended(await AbortAsync(plan, abort));

        if (await gate.Blind.MaskAsync(
            plan, update, client, cancellationToken) is not { } masked) return new BlindResult.Ended(DropReason.RefusedByPolicy);
        LogMasked(plan.Run, plan.Round, client.MaskedSites);
        var answer = await SendAsync(masked, cancellationToken);
        if (answer.Accepted) await HelpToUnmaskAsync(plan, client, cancellationToken);
        return new BlindResult.Delivered(masked, answer);
    }

    private async Task<Heard> ShareKeysAsync(RoundPlan plan, SumClient client, CancellationToken cancellationToken)
    {
        var roster = await ExchangeAsync(plan, SumStage.Keys, client.Advertise(), cancellationToken);
        return roster.Message is null ? roster : await ExchangeAsync(
            plan, SumStage.Shares, client.AnswerRoster(roster.Message), cancellationToken);
    }

    /// <summary>The masked update counts by now, whatever becomes of this: enough others suffice.</summary>
    private async Task HelpToUnmaskAsync(RoundPlan plan, SumClient client, CancellationToken cancellationToken)
    {
        var survivors = await HearAsync(plan, SumStage.Masked, cancellationToken);
        if (survivors.Message is null) return;
        var confirmations = await ExchangeAsync(plan, SumStage.Confirmations, client.AnswerSurvivors(survivors.Message), cancellationToken);
        if (confirmations.Message is null) return;
        await SayAsync(plan, SumStage.Disclosures, client.AnswerConfirmations(confirmations.Message), cancellationToken);
    }

    /// <summary>Says something and waits for what comes of everybody's answers.</summary>
    private async Task<Heard> ExchangeAsync(RoundPlan plan, SumStage stage, StepOutcome outcome, CancellationToken cancellationToken) =>
        await SayAsync(
            plan, stage, outcome, cancellationToken) is { } end ? new Heard(null, end) : await HearAsync(plan, stage, cancellationToken);

    /// <returns>Why it ends here; <see langword="null"/> when it goes on.</returns>
    private async Task<DropReason?> SayAsync(RoundPlan plan, SumStage stage, StepOutcome outcome, CancellationToken cancellationToken)
    {
        if (outcome is StepOutcome.Aborted { Abort: var abort }) return await AbortAsync(plan, abort);
        var message = ((StepOutcome.Reply)outcome).Message;
        if (await RetryAsync(() => gate.Blind.ClearStepAsync(plan, stage, message), cancellationToken) is not { } cleared) return DropReason.RefusedByPolicy;
        var refusal = await RetryAsync(() => peer.SubmitAsync(cleared, cancellationToken), cancellationToken);
        if (refusal.Length == 0) return null;
        LogRefused(plan.Run, plan.Round, stage, refusal);
        return DropReason.LeftExchange;
    }

    private async Task<Heard> HearAsync(RoundPlan plan, SumStage stage, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (message, over) = await RetryAsync(() => peer.NextAsync(plan.Run, plan.Round, stage, cancellationToken), cancellationToken);
            if (message is not null) return new Heard(message, default);
            if (!over) continue;
            LogLeftOut(plan.Run, plan.Round, stage);
            return new Heard(null, DropReason.LeftExchange);
        }
    }

    private async Task<DropReason> AbortAsync(RoundPlan plan, SumAbort abort)
    {
        LogAborted(plan.Run, plan.Round, abort.Reason, abort.Site?.ToString() ?? "the coordinator");
        await gate.Blind.RecordAbortAsync(plan, abort);
        return DropReason.ExchangeAborted;
    }

    private Task<UploadAnswer> SendAsync(ClearedUpdate update, CancellationToken cancellationToken) =>
        RetryAsync(() => coordinator.SendAsync(update, cancellationToken), cancellationToken);

    /// <summary>Tries again after every broken connection and on a full disk: the keys would be lost if the exchange began anew.</summary>
    private async Task<T> RetryAsync<T>(Func<Task<T>> attempt, CancellationToken cancellationToken)
    {
        for (var wait = FirstRetry; ; wait = wait * 2 < LongestRetry ? wait * 2 : LongestRetry)
        {
            try
            {
                return await attempt();
            }
            catch (Exception error) when (error is ConnectionLostException or IOException)
            {
                LogRetry(error.Message, wait.TotalSeconds);
            }

            await Task.Delay(wait, time, cancellationToken);
        }
    }

    /// <param name="Message">What the coordinator said.</param>
    /// <param name="End">Why it said nothing.</param>
    private readonly record struct Heard(byte[]? Message, DropReason End);

    [LoggerMessage(445, LogLevel.Information, "Masked the update of {Run} round {Round} among {Sites} sites")]
    private partial void LogMasked(RunId run, int round, int sites);

    [LoggerMessage(
        447, LogLevel.Warning, "The coordinator refused a message of the blind exchange of {Run} round {Round}, {Stage}: {Refusal}")]
    private partial void LogRefused(RunId run, int round, SumStage stage, string refusal);

    [LoggerMessage(446, LogLevel.Warning, "The blind exchange of {Run} round {Round} goes on without this site after {Stage}")]
    private partial void LogLeftOut(RunId run, int round, SumStage stage);

    [LoggerMessage(
        443, LogLevel.Error, "Ended this site's part in the blind exchange of {Run} round {Round}: {Reason} ({About}); the ledger has it")]
    private partial void LogAborted(RunId run, int round, AbortReason reason, string about);

    [LoggerMessage(
        444, LogLevel.Warning, "A blind exchange waits: {Problem}. Trying again in {Seconds} s")]
    private partial void LogRetry(string problem, double seconds);
}

/// <summary>What became of a site's part in a blind round.</summary>
internal abstract record BlindResult
{
    private BlindResult() { }

    /// <summary>The coordinator has answered the masked update.</summary>
    public sealed record Delivered(ClearedUpdate Update, UploadAnswer Answer) : BlindResult;

    /// <summary>Nothing of the update has left.</summary>
    public sealed record Ended(DropReason Reason) : BlindResult;
}
