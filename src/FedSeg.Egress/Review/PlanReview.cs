using FedSeg.Egress.Charters;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Records;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Review;

/// <summary>
/// Whether a run may train at this site: by people's word about its terms, or within the policy's standing approval. Whatever is decided is in the ledger before it is
/// told. Not safe without the site's turn.
/// </summary>
internal sealed class PlanReview(EgressRecords records, SiteRecord site, PlanFiles files, TimeProvider time)
{
    private const string Standing = "standing approval of the policy";

    public async Task<PlanOutcome> DecideAsync(PlanOrigin.Proven proven, EgressPolicy policy, CharterVerdict.Covered? cover)
    {
        var (plan, signer) = (proven.Plan, proven.Signer);
        // On the disk before an entry names it.
        files.Keep(proven.Signed);
        var terms = RunTerms.HashOf(plan);
        var (decision, waiting) = site.Book(book => (book.DecisionOn(terms), book.FindPlan(terms)));
        if (decision is { IsApproved: true } && Holds(decision, policy)) return await BeginAsync(proven, terms);
        if (decision is { IsApproved: false }) return new PlanOutcome.Refused(decision.Reason ?? RefusalReason.Other);
        if (waiting is not null)
        {
            if ((waiting.Signer.Certificate, waiting.Signer.Until) != (signer.Certificate, signer.Until))
            {
                await site.NoteAsync(EgressRecords.PlanSignedAgain, records.SignAgain(waiting, signer));
            }

            return new PlanOutcome.Waiting(terms, waiting.Until);
        }

        files.Keep(plan);
        var problems = policy.PlansWithin?.Problems(plan);
        if (problems is { Count: 0 })
        {
            var approved = new PlanDecision(terms, IsApproved: true, Standing, time.GetUtcNow(), Reason: null, policy.Hash, signer);
            await site.NoteAsync(EgressRecords.PlanDecided, records.DecidePlan(plan.Run, approved, order: null, cover: cover));
            return await BeginAsync(proven, terms);
        }

        var until = time.GetUtcNow() + policy.ReviewTime;
        var why = problems is null ? "this site has no standing approval of plans" : string.Join("; ", problems);
        await site.NoteAsync(EgressRecords.PlanRequested, records.AskForPlan(plan, terms, signer, cover, why, until));
        return new PlanOutcome.Waiting(terms, until);
    }

    /// <summary>One person's approval, the last one needed or the first of two.</summary>
    /// <returns>What it comes to; <see langword="null"/> with the reason why it counts nothing.</returns>
    public async Task<OrderOutcome> ApproveAsync(
        DeskOrder.ApprovePlan order, Approver giver, EgressPolicy policy, CharterReview charters, Func<string, Task<OrderOutcome>> refuse)
    {
        if (Find(order.Terms) is not { } waiting) return await refuse("no run waits with these terms");
        if (waiting.ApprovedBy.Select(first => first.Problem(giver.Person)).FirstOrDefault(problem => problem is not null) is { } same) return await refuse(same);
        // A person approves what can be read, not a hash alone.
        if (files.Find(order.Terms) is not { } plan) return await refuse("the terms are no longer to be read");
        var verdict = charters.Of(plan, policy);
        if (verdict is CharterVerdict.Outside { Problem: var outside }) return await refuse(outside);
        policy = policy.TightenedBy(verdict.Cover?.Charter);
        if (waiting.ApprovedBy.Length + 1 < policy.Approvals)
        {
            await site.NoteAsync(EgressRecords.PlanApprovedOnce, records.ApprovePlanFirst(waiting, order, giver));
            return new OrderOutcome.Obeyed("approved by one of two people");
        }

        Approver[] both = [.. waiting.ApprovedBy, giver];
        var by = string.Join(" and ", both.Select(one => one.By));
        await DecideAsync(waiting, isApproved: true, by, reason: null, order.Id, string.Join(" and ", both.Select(one => one.Person)));
        return new OrderOutcome.Obeyed("the run may train here") { Answered = [waiting.Run] };
    }

    public async Task<OrderOutcome> RefuseAsync(DeskOrder.RefusePlan order, Func<string, Task<OrderOutcome>> refuse)
    {
        if (order.Reason == RefusalReason.Expired) return await refuse("a person has another reason than the clock");
        if (Find(order.Terms) is not { } waiting) return await refuse("no run waits with these terms");
        await DecideAsync(waiting, isApproved: false, order.By, order.Reason, order.Id);
        return new OrderOutcome.Obeyed("the run may not train here") { Answered = [waiting.Run] };
    }

    /// <summary>Refuses what nobody decided about in time.</summary>
    public async Task<IReadOnlyList<RunId>> ExpireAsync()
    {
        var now = time.GetUtcNow();
        var late = site.Book(book => book.WaitingPlans.Where(waiting => waiting.Until <= now).ToList());
        foreach (var waiting in late) await DecideAsync(waiting, isApproved: false, "nobody", RefusalReason.Expired, order: null);
        return [.. late.Select(waiting => waiting.Run)];
    }

    /// <summary>Takes back what a run that has ended asked for.</summary>
    public async Task WithdrawAsync(RunId run, string why)
    {
        foreach (var waiting in site.Book(book => book.WaitingPlans.Where(waiting => waiting.Run == run).ToList()))
        {
            await site.NoteAsync(EgressRecords.PlanWithdrawn, records.WithdrawPlan(waiting, why));
        }
    }

    /// <summary>A standing approval holds for as long as the policy that gave it, a person's for as long as the policy lets it.</summary>
    private bool Holds(PlanDecision approval, EgressPolicy policy) =>
        approval.Policy is { } standing ? standing == policy.Hash : time.GetUtcNow() < approval.At + policy.ApprovalTime;

    /// <summary>Who ordered a round is in the ledger before it is begun.</summary>
    private async Task<PlanOutcome> BeginAsync(PlanOrigin.Proven proven, Sha256Digest terms)
    {
        await site.NoteAsync(EgressRecords.RoundOrdered, records.OrderRound(proven, terms));
        return new PlanOutcome.Approved(new ApprovedPlan(proven.Plan));
    }

    private WaitingPlan? Find(Sha256Digest terms) => site.Book(book => book.FindPlan(terms));

    private Task<Ledger.Storage.LedgerReceipt> DecideAsync(
        WaitingPlan waiting, bool isApproved, string by, RefusalReason? reason, string? order, string? people = null) => site.NoteAsync(
        EgressRecords.PlanDecided,
        records.DecidePlan(waiting.Run, new PlanDecision(waiting.Terms, isApproved, by, time.GetUtcNow(), reason, Policy: null, waiting.Signer), order, people));
}
