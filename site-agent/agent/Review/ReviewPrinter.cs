using System.Text.Json;
using FedSeg.Egress.Patients;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Review;
using FedSeg.Federation;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Programs;
using FedSeg.Ledger.Storage;

namespace FedSeg.SiteAgent.Review;

/// <summary>Prints the desk for people, or as one JSON document for scripts.</summary>
internal static class ReviewPrinter
{
    public static void List(DeskClient desk, bool json)
    {
        var (plans, waiting, policy, paused, halt) = desk.Ask(book => (book.WaitingPlans.ToList(), book.Waiting.ToList(), book.WaitingPolicy, book.IsPaused, book.Halt));
        var charters = desk.Ask(book => book.Charters.Where(charter => charter.State == CharterState.Waiting).ToList());
        if (json)
        {
            Print(new { paused, halted = halt is not null, policy, plans, waiting, charters });
            return;
        }

        if (halt is not null) Console.WriteLine($"HALTED by {halt.By} at {halt.At:u}{(halt.LiftAskedBy is { } first ? $"; {first.By} asks to lift it" : "")}");
        if (paused) Console.WriteLine("paused");
        foreach (var plan in plans)
        {
            Console.WriteLine($"{plan.Terms.Abbreviated}  {plan.Run} wants to train here  until {plan.Until:u}{(plan.ApprovedBy.IsEmpty ? "" : $"  approved by {plan.ApprovedBy[0].By}")}");
        }

        foreach (var charter in charters)
        {
            Console.WriteLine($"{charter.Charter.Abbreviated}  study {charter.Study} asks this hospital to accept its charter{(charter.AcceptedBy.IsEmpty ? "" : $"  accepted by {charter.AcceptedBy[0].By}")}");
        }

        if (policy is not null) Console.WriteLine($"{policy.Policy.Abbreviated}  the policy file was changed  until {policy.Until:u}{(policy.ApprovedBy.IsEmpty ? "" : $"  agreed to by {policy.ApprovedBy[0].By}")}");
        if (waiting.Count + plans.Count + charters.Count == 0 && policy is null) Console.WriteLine("Nothing waits.");
        foreach (var update in waiting)
        {
            Console.WriteLine($"{update.Update.Abbreviated}  {update.Run} round {update.Round} ({update.Task})  until {update.Until:u}{(update.ApprovedBy.IsEmpty ? "" : $"  approved by {update.ApprovedBy[0].By}")}");
        }
    }

    public static void Show(DeskClient desk, WaitingUpdate waiting, bool json)
    {
        var summary = desk.FindSummary(waiting.Update) ?? throw new InvalidDataException("What was measured of this update is gone or unreadable; refuse it.");
        if (json)
        {
            Print(new { waiting, summary });
            return;
        }

        Console.WriteLine($"update {waiting.Update}");
        Console.WriteLine($"answers {waiting.Run} round {waiting.Round} of {summary.Plan.TotalRounds} ({waiting.Task}), labels {string.Join(", ", summary.Plan.Labels)}");
        Console.WriteLine($"size of the change {summary.Norm:G4} (allowed {summary.MaximumNorm:G4}); earlier rounds {string.Join(", ", summary.EarlierNorms.Select(norm => norm.ToString("G4")))}");
        if (waiting.Task == RoundTask.Train) Console.WriteLine(
            $"{summary.Plan.UpdateBytes()} bytes of weights as {Encoding(summary.Plan)}; {summary.Plan.UpdateBytesInFloat32()} in float32");
        foreach (var budget in summary.Budgets) Console.WriteLine($"privacy budget of {budget.Cohort}: ε {budget.Spent:F3} spent, {budget.After:F3} with this, at most {budget.MaximumEpsilon} at δ {budget.Delta}");
        foreach (var rule in summary.Rules) Console.WriteLine($"  {(rule.Passed ? "passed" : "FAILED")}  {rule.Rule}: {rule.Measured} (allowed: {rule.Limit})");
        foreach (var tensor in summary.Tensors)
        {
            Console.WriteLine($"  {tensor.Name} [{string.Join(", ", tensor.Shape)}]  change {tensor.Norm:G4}, {tensor.Ratio:P2} of the weights, largest {tensor.Largest:G4}, unchanged {tensor.ZeroShare:P1}");
        }
    }

    private static string Encoding(RoundPlan plan) => plan.Blind is not null
        ? "masked numbers"
        : plan.Recipe.UpdateEncoding.ToString().ToLowerInvariant()
            + (plan.Recipe.ErrorFeedback ? ", what that loses added to the next round's" : "");

    public static void Explain(DeskClient desk, WaitingPlan waiting, bool json)
    {
        var plan = desk.Plans.Find(waiting.Terms) ?? throw new InvalidDataException("The run's terms are gone or unreadable; refuse it.");
        var last = desk.Ask(book => book.LastApprovedPlan) is { } decision ? desk.Plans.Find(decision.Terms) : null;
        var (explanation, differences) = (PlanExplanation.Of(plan), last is null ? [] : PlanDifference.Between(last, plan));
        if (json)
        {
            Print(new { waiting, explanation, comparedWith = last?.Run, differences });
            return;
        }

        Console.WriteLine($"{waiting.Run}, terms {waiting.Terms}");
        Console.WriteLine($"ordered and signed by the coordinator, with its certificate {waiting.Signer.Certificate}; counts until {waiting.Signer.Until:u} and is signed anew as long as it waits");
        Console.WriteLine($"before you because {waiting.Why}");
        foreach (var line in explanation) Console.WriteLine("  " + line);
        Console.WriteLine(last is null ? "No run was approved here before." : $"Different from {last.Run}:");
        foreach (var difference in differences) Console.WriteLine($"  {difference.What}: {difference.Before ?? "-"} -> {difference.Now ?? "-"}");
    }

    public static void Charters(DeskClient desk, bool json)
    {
        var charters = desk.Ask(book => book.Charters.ToList());
        if (json)
        {
            Print(new { charters = charters.Select(known => new { known, text = desk.Charters.Find(known.Charter)?.Charter }) });
            return;
        }

        if (charters.Count == 0) Console.WriteLine("No charter was brought here.");
        foreach (var known in charters)
        {
            var by = known.By is { } who ? $" by {who}, {known.At:u}" : "";
            Console.WriteLine($"{known.Charter.Abbreviated}  study {known.Study} version {known.Version}: {known.State}{by}{(known.State == CharterState.Waiting && !known.AcceptedBy.IsEmpty ? $"; accepted by {known.AcceptedBy[0].By}, it takes two" : "")}");
            if (desk.Charters.Find(known.Charter) is not { } signed) Console.WriteLine("  its file is gone or unreadable");
            else foreach (var line in CharterExplanation.Of(signed.Charter)) Console.WriteLine("  " + line);
        }
    }

    public static void Trace(IReadOnlyList<PatientRun> runs, bool json)
    {
        if (json)
        {
            Print(new { runs });
            return;
        }

        if (runs.Count == 0) Console.WriteLine("No round used this patient.");
        foreach (var run in runs)
        {
            Console.WriteLine($"{run.Run}: trained on in rounds {Rounds(run.Trained)}, tried on in {Rounds(run.Scored)}; updates of {Rounds(run.Left)} left");
            Console.WriteLine("  " + run.Explanation);
        }

        static string Rounds(IReadOnlyCollection<int> rounds) => rounds.Count == 0 ? "none" : string.Join(", ", rounds);
    }

    /// <summary>What the ledger says about an order.</summary>
    /// <returns>The exit code.</returns>
    public static int Answer(LedgerEntry? answer, bool json)
    {
        if (answer is null)
        {
            Console.Error.WriteLine("The order is placed; no agent has dealt with it yet. It will when it starts.");
            return ServiceProgram.Fault;
        }

        var refusal = DeskClient.RefusalIn(answer);
        if (json) Print(new { obeyed = refusal is null, why = refusal, entry = answer.Seq, action = answer.Action });
        else if (refusal is null) Console.WriteLine($"{answer.Action}, entry {answer.Seq} of the ledger");
        if (refusal is not null) Console.Error.WriteLine($"Not obeyed: {refusal}.");
        return refusal is null ? ServiceProgram.Done : ServiceProgram.No;
    }

    private static void Print(object document) => Console.WriteLine(JsonSerializer.Serialize(document, FederationJson.Options));
}
