using System.Security.Cryptography.X509Certificates;
using FedSeg.Egress.Charters;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Records;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Egress.Review;

/// <summary>
/// Which charters count at this site: those that the federation's authority signed, that name this site and where its updates go, and that its people accepted. The ledger
/// says which; their text is found by its hash. Orders within the site's turn.
/// </summary>
internal sealed class CharterReview(EgressOptions options, EgressRecords records, SiteRecord site, CharterFiles files, TimeProvider time)
{
    private readonly FederationTrust _trust = new(options.AuthorityPath, time);

    /// <summary>Whether a charter covers a run as its plan describes it. Asked for every round and every update.</summary>
    public CharterVerdict Of(RoundPlan plan, EgressPolicy policy)
    {
        if (plan.Study is { } of && site.Book(book => book.HasLeft(of))) return new CharterVerdict.Outside($"this hospital has left study {of}");
        var known = plan.Study is { } study ? site.Book(book => book.CharterOf(study)) : null;
        if (known is null)
        {
            if (policy.RunsWithoutCharter) return new CharterVerdict.NotNeeded();
            return new CharterVerdict.Outside(plan.Study is { } named ? $"no charter of study {named} was accepted here" : "it names no study, and runs need a charter here");
        }

        if (Problem(known) is { } problem) return new CharterVerdict.Outside(problem);
        var charter = files.Find(known.Charter)!.Charter;
        return charter.Problems(plan) is { Count: > 0 } problems
            ? new CharterVerdict.Outside(string.Join("; ", problems))
            : new CharterVerdict.Covered(known.Charter, charter);
    }

    /// <summary>Whether what was measured under a charter, or without one, may still leave.</summary>
    /// <param name="charter">The charter; <see langword="null"/> for none.</param>
    /// <param name="policy">In force.</param>
    /// <returns>Why not; <see langword="null"/> when it may.</returns>
    public string? Problem(Sha256Digest? charter, EgressPolicy policy)
    {
        if (charter is not { } hash) return policy.RunsWithoutCharter ? null : "no charter covers it, and runs need one here";
        return site.Book(book => book.FindCharter(hash)) is { } known ? Problem(known) : "its charter is not known here";
    }

    /// <summary>What a charter that counts asks for beyond the policy.</summary>
    public EgressPolicy Tighten(EgressPolicy policy, Sha256Digest? charter) => policy.TightenedBy(charter is { } hash ? files.Find(hash)?.Charter : null);

    /// <summary>Whether a charter that holds here asks for two people.</summary>
    public bool AskForFourEyes() => site.Book(book => book.Charters.Where(known => known.State == CharterState.Accepted).ToList())
        .Exists(known => files.Find(known.Charter)?.Charter.FourEyes == true && Problem(known) is null);

    public async Task<OrderOutcome> ImportAsync(DeskOrder.ImportCharter order, Approver giver, Func<string, Task<OrderOutcome>> refuse)
    {
        if (files.Find(order.Charter) is not { } signed) return await refuse("the charter's file is not there");
        if (!IsSigned(signed)) return await refuse("the federation's authority did not sign it");
        if (!signed.Charter.Sites.Contains(options.Site)) return await refuse("it does not name this hospital");
        if (site.Book(book => book.CharterOf(signed.Charter.Study)) is { State: CharterState.Accepted } accepted
            && accepted.Version >= signed.Charter.Version)
        {
            return await refuse($"version {accepted.Version} of it is accepted here");
        }

        await site.NoteAsync(EgressRecords.CharterImported, records.ImportCharter(signed, order, giver));
        return new OrderOutcome.Obeyed("the charter waits for a privacy officer");
    }

    /// <summary>One person's acceptance, the last one needed or the first of two.</summary>
    public async Task<OrderOutcome> AcceptAsync(DeskOrder.AcceptCharter order, Approver giver, EgressPolicy policy, Func<string, Task<OrderOutcome>> refuse)
    {
        if (site.Book(book => book.FindCharter(order.Charter)) is not { State: CharterState.Waiting } waiting) return await refuse("no charter waits under this hash");
        // A person accepts what can be read, not a hash alone.
        if (files.Find(order.Charter) is not { Charter: var charter } signed) return await refuse("the charter is no longer to be read");
        // It may have waited for longer than its signer counted.
        if (!IsSigned(signed)) return await refuse("the authority that signed it no longer counts; have its successor sign it again");
        if (charter.HasExpired(time.GetUtcNow())) return await refuse("it has expired");
        if (charter.RecipientProblem(options.Recipient) is { } recipient) return await refuse(recipient);
        if (waiting.AcceptedBy.Select(first => first.Problem(giver.Person)).FirstOrDefault(problem => problem is not null) is { } same) return await refuse(same);
        if (waiting.AcceptedBy.Length + 1 < policy.TightenedBy(charter).Approvals)
        {
            await site.NoteAsync(EgressRecords.CharterAcceptedOnce, records.AnswerCharter(waiting, order, [giver]));
            return new OrderOutcome.Obeyed("accepted by one of two people");
        }

        await site.NoteAsync(EgressRecords.CharterAccepted, records.AnswerCharter(waiting, order, [.. waiting.AcceptedBy, giver]));
        return new OrderOutcome.Obeyed("the charter holds");
    }

    /// <summary>Declines what waits, or takes back what was accepted: from then on nothing leaves for the study.</summary>
    public async Task<OrderOutcome> DeclineAsync(DeskOrder.DeclineCharter order, Approver giver, Func<string, Task<OrderOutcome>> refuse)
    {
        if (order.Reason == RefusalReason.Expired) return await refuse("a person has another reason than the clock");
        if (site.Book(book => book.FindCharter(order.Charter)) is not { State: CharterState.Waiting or CharterState.Accepted } charter)
        {
            return await refuse("no charter waits or holds under this hash");
        }

        await site.NoteAsync(EgressRecords.CharterDeclined, records.DeclineCharter(charter, order, giver));
        return new OrderOutcome.Obeyed("the charter does not hold");
    }

    /// <summary>Puts into the ledger that somebody at this machine let another authority follow the one that counted, when the agent notices.</summary>
    public async Task NoteSuccessorAsync()
    {
        if (!File.Exists(options.AuthorityPath) || _trust.Succession is not { } succession) return;
        var (former, successor) = (Sha256Digest.Of(succession.Former), Sha256Digest.Of(succession.Successor));
        if (site.Book(book => book.Followed(successor))) return;
        await site.NoteAsync(EgressRecords.AuthorityFollowed, records.Follow(former, successor, succession.Until));
    }

    private string? Problem(SiteCharter known)
    {
        switch (known.State)
        {
            case CharterState.Waiting: return $"the charter of study {known.Study} waits for this hospital's people";
            case CharterState.Declined: return $"this hospital declined the charter of study {known.Study}";
            case CharterState.Replaced: return $"version {known.Version} of the charter of study {known.Study} was replaced";
        }

        if (files.Find(known.Charter) is not { Charter: var charter }) return "the accepted charter is no longer to be read";
        if (charter.HasExpired(time.GetUtcNow())) return $"the charter of study {known.Study} has expired";
        return charter.RecipientProblem(options.Recipient);
    }

    private bool IsSigned(SignedCharter charter) => _trust.Roots.Any(authority =>
    {
        using var key = authority.GetECDsaPublicKey() ?? throw new InvalidDataException($"The authority's key in '{options.AuthorityPath}' is not an ECDSA key.");
        return charter.IsSignedBy(key);
    });
}
