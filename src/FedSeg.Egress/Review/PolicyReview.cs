using FedSeg.Egress.Policy;
using FedSeg.Egress.Records;
using FedSeg.Egress.Review.People;

namespace FedSeg.Egress.Review;

/// <summary>
/// Which policy holds. While the one in force says <c>policyChanges: twoPeople</c>, a changed file counts only when two people of the site have agreed to it at the desk;
/// until then the one they agreed to last does, from a copy that is found by its hash. That also holds for a change of that very key, and for a raise of the privacy
/// budget. An accepted charter that asks for four eyes asks for them here as well. A file that is missing or wrong closes the gate at once: who wants less to leave asks nobody.
/// All but <see cref="InForce"/> and <see cref="Problem"/> within the site's turn.
/// </summary>
internal sealed class PolicyReview(EgressOptions options, EgressRecords records, SiteRecord site, PolicyFiles files, Func<bool> chartersAskForTwo, TimeProvider time)
{
    private const string TheFile = "the first policy file that asks for two people", TheCharter = "the file of the day a charter asked for four eyes";

    /// <summary>The policy that holds now; <see langword="null"/> when none does and nothing may leave.</summary>
    public EgressPolicy? InForce() => files.InForce(options.PolicyPath, site.Book(book => book.HeldPolicy)).Policy;

    /// <summary>Why no policy holds; <see langword="null"/> when one does.</summary>
    public string? Problem() => files.InForce(options.PolicyPath, site.Book(book => book.HeldPolicy)).Problem;

    /// <summary>Looks whether the file has changed, and puts a change before the desk if it takes two people.</summary>
    public async Task CatchUpAsync()
    {
        if (ReadFile() is not { Policy: var file, Yaml: var yaml }) return;
        var (held, waiting, refused) = site.Book(book => (book.HeldPolicy, book.WaitingPolicy, book.IsRefused(file.Hash)));
        if (held is not { ChangesTakeTwo: true })
        {
            if (ChangesOf(file) == PolicyChanges.AtOnce) return;
            files.Keep(file.Hash, yaml);
            var by = file.Changes == PolicyChanges.TwoPeople ? TheFile : TheCharter;
            await site.NoteAsync(EgressRecords.PolicyAdopted, records.AdoptPolicy(file, PolicyChanges.TwoPeople, by, people: null, order: null));
            return;
        }

        if (waiting is not null && waiting.Policy != file.Hash) await site.NoteAsync(EgressRecords.PolicyWithdrawn, records.AboutPolicy(waiting.Policy));
        if (held.Policy == file.Hash || waiting?.Policy == file.Hash || refused) return;
        files.Keep(file.Hash, yaml);
        var patience = files.Find(held.Policy)?.ReviewTime ?? file.ReviewTime;
        await site.NoteAsync(EgressRecords.PolicyRequested, records.AskForPolicy(file.Hash, time.GetUtcNow() + patience));
    }

    /// <summary>One person's agreement, the first of two or the second. One of the two has to be a privacy officer.</summary>
    public async Task<OrderOutcome> ApproveAsync(DeskOrder.ApprovePolicy order, Approver giver, Func<string, bool> isOfficer, Func<string, Task<OrderOutcome>> refuse)
    {
        await CatchUpAsync();
        if (site.Book(book => book.WaitingPolicy) is not { } waiting || waiting.Policy != order.Policy) return await refuse("no policy waits under this hash");
        if (files.Find(order.Policy) is not { } policy) return await refuse("the policy is no longer to be read");
        if (waiting.ApprovedBy is not [var first])
        {
            await site.NoteAsync(EgressRecords.PolicyApprovedOnce, records.ApprovePolicyFirst(order, giver));
            return new OrderOutcome.Obeyed("agreed to by one of two people");
        }

        if (first.Problem(giver.Person) is { } same) return await refuse(same);
        if (!isOfficer(first.By) && !isOfficer(giver.By)) return await refuse("one of the two has to be a privacy officer");
        await site.NoteAsync(
            EgressRecords.PolicyAdopted, records.AdoptPolicy(policy, ChangesOf(policy), $"{first.By} and {giver.By}", $"{first.Person} and {giver.Person}", order.Id));
        return new OrderOutcome.Obeyed("the changed policy holds");
    }

    public async Task<OrderOutcome> RefuseAsync(DeskOrder.RefusePolicy order, Func<string, Task<OrderOutcome>> refuse)
    {
        if (site.Book(book => book.WaitingPolicy)?.Policy != order.Policy) return await refuse("no policy waits under this hash");
        await site.NoteAsync(EgressRecords.PolicyRefused, records.RefusePolicy(order.Policy, order.By, order.Id));
        return new OrderOutcome.Obeyed("the policy stays as it was");
    }

    /// <summary>Refuses what nobody decided about in time.</summary>
    public async Task ExpireAsync()
    {
        if (site.Book(book => book.WaitingPolicy) is { } waiting && waiting.Until <= time.GetUtcNow())
        {
            await site.NoteAsync(EgressRecords.PolicyRefused, records.RefusePolicy(waiting.Policy, "nobody", order: null));
        }
    }

    private PolicyChanges ChangesOf(EgressPolicy policy) => chartersAskForTwo() ? PolicyChanges.TwoPeople : policy.Changes;

    private EgressPolicyResult.Valid? ReadFile() => EgressPolicyFile.Read(options.PolicyPath) as EgressPolicyResult.Valid;
}
