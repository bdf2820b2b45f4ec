using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Egress.Plans;
using FedSeg.Federation.Charters;

namespace FedSeg.Cli.Studies.Records;

/// <summary>What a data protection impact assessment can attach, in the order of Art. 35(7) GDPR. The assessment itself stays people's work.</summary>
internal static class DpiaAnnex
{
    /// <param name="facts">The study at this site.</param>
    /// <param name="attacks">The red team's report; <see langword="null"/> when none was given.</param>
    public static RecordDocument Of(StudyFacts facts, AttackReport? attacks) => new(
        "dpia-annex",
        $"Annex to the data protection impact assessment (Art. 35 GDPR): study {facts.History.Study} at {facts.Site.Site}",
        [
            facts.Source(),
            new("(a) Systematic description", [.. Description(facts)]),
            new("(b) Necessity and proportionality", [.. Necessity(facts)]),
            new("(c) Risks", new RecordBlock.Table(["Risk", "What stands against it here", "Residual risk"], [.. Risks(facts)])),
            new(
                "(d) Measures",
                new RecordBlock.Points([.. Measures.Of(facts)]),
                new RecordBlock.Points([.. facts.History.Runs.Where(run => run.Epsilon is not null).Select(run => (RecordText)Spent(run.Run.ToString(), run.Epsilon!.Value))])),
            .. Attacks(attacks),
            new("Assessment", RecordBlock.Table.OfFacts(
                ("Is the model anonymous?", RecordText.Gap("assessment; a model trained on personal data is not anonymous by itself (EDPB Opinion 28/2024)")),
                ("Advice of the data protection officer (Art. 35(2))", RecordText.Gap("advice")),
                ("Views of data subjects (Art. 35(9))", RecordText.Gap("views, or why they were not sought")),
                ("Prior consultation (Art. 36)", RecordText.Gap("whether it is needed")))),
        ]);

    private static IEnumerable<RecordBlock> Description(StudyFacts facts)
    {
        if (facts.Charter is { } charter) yield return new RecordBlock.Points([.. CharterExplanation.Of(charter).Select(line => (RecordText)line)]);
        else yield return new RecordBlock.Paragraph(RecordText.Gap("purpose, legal basis, hospitals and recipients; no charter is known here"));
        foreach (var plan in facts.Plans)
        {
            yield return new RecordBlock.Paragraph($"What {plan.Run} does at this hospital:");
            yield return new RecordBlock.Points([.. PlanExplanation.Of(plan).Select(line => (RecordText)line)]);
        }

        yield return facts.RunTable();
    }

    private static IEnumerable<RecordBlock> Necessity(StudyFacts facts)
    {
        yield return new RecordBlock.Points(
        [
            "Images and outlines stay at the hospital; what leaves is how training changed a network's numbers, numbers of cases, and averages of scores.",
            facts.Patients is { } patients
                ? string.Create(CultureInfo.InvariantCulture, $"Patients used in rounds of which something left: {patients}.")
                : RecordText.Gap("number of patients; no round's record is kept here yet"),
        ]);
        yield return RecordBlock.Table.OfFacts(
            ("Why this can't be done with fewer or no personal data", RecordText.Gap("reasons")),
            ("Rights of data subjects, and how they are met", RecordText.Gap("beyond the withdrawal that the program offers: excluded from later rounds, and told which models have something of them")));
    }

    private static IEnumerable<ImmutableArray<RecordText>> Risks(StudyFacts facts)
    {
        var privacy = facts.Policy?.TightenedBy(facts.Charter).Budgets is { IsEmpty: false };
        var blind = facts.Charter?.Mode == CharterMode.Blind;
        yield return Row(
            "Images are rebuilt from an update",
            blind ? "the recipients see only the sum of all hospitals' updates" : "the recipients see this hospital's update by itself" + (privacy ? "; noise hides what one patient contributes" : ""));
        yield return Row(
            "Somebody learns from the model whether a patient took part",
            privacy ? "differential privacy with the patient as its unit, within a budget over all runs" : "averaging only; no differential privacy is asked for");
        yield return Row("A model is sent that was built to copy images", "an allow-list of networks, checks of layers and weights, approval of each run's plan, a rule on likeness to images");
        yield return Row("Small numbers tell who took part", facts.Policy is null ? RecordText.Gap("the policy's smallest counts") : "counts below the policy's are not told; scores only over enough cases");
        yield return Row("What left can't be called back", "a person or the policy decides before anything leaves; a patient who withdraws is left out of later rounds, what a model learnt before stays in it");

        static ImmutableArray<RecordText> Row(string risk, RecordText measure) => [risk, measure, RecordText.Gap("likelihood and severity that remain")];
    }

    private static string Spent(string run, (string Cohort, double After, double Maximum) epsilon) => string.Create(
        CultureInfo.InvariantCulture, $"After the last release of {run}, ε of '{epsilon.Cohort}' was {Math.Ceiling(epsilon.After * 1000) / 1000} of at most {epsilon.Maximum}.");

    private static IEnumerable<RecordSection> Attacks(AttackReport? attacks)
    {
        if (attacks is null) return [new RecordSection("Attacks that were tried", new RecordBlock.Paragraph(RecordText.Gap("the red team's report; give its file with --red-team")))];
        return [new RecordSection("Attacks that were tried", [new RecordBlock.Paragraph($"From the red team's report, SHA-256 {attacks.Hash}."), .. attacks.Blocks])];
    }
}
