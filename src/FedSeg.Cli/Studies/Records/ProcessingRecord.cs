using System.Collections.Immutable;
using System.Globalization;

namespace FedSeg.Cli.Studies.Records;

/// <summary>The record of processing activities of Art. 30(1) GDPR, in the order of its letters.</summary>
internal static class ProcessingRecord
{
    public static RecordDocument Of(StudyFacts facts)
    {
        var (charter, records) = (facts.Charter, facts.Charter?.Records);
        return new RecordDocument("processing-record", $"Record of processing (Art. 30(1) GDPR): study {facts.History.Study} at {facts.Site.Site}",
        [
            facts.Source(),
            new("(a) Controller", RecordBlock.Table.OfFacts(
                ("This hospital", RecordText.Gap($"legal name and address of '{facts.Site.Site}'")),
                ("Controllers, as the charter names them", RecordText.Of(records?.Controllers, "controller, joint controllers and how they are reached")),
                ("Data protection officer", RecordText.Gap("name and contact")),
                ("Hospitals of the study", charter is null ? RecordText.Gap("the charter names them") : string.Join(", ", charter.Sites)))),
            new("(b) Purposes", RecordBlock.Table.OfFacts(
                ("Purpose", RecordText.Of(charter?.Purpose, "why the data are processed")),
                ("Legal basis", RecordText.Of(charter?.LegalBasis, "on what ground")))),
            new(
                "(c) Data subjects and personal data",
                RecordBlock.Table.OfFacts(
                    ("Data subjects", RecordText.Of(records?.DataSubjects, "whose data")),
                    ("Personal data", RecordText.Of(records?.DataCategories, "which data"))),
                new RecordBlock.Points([.. Known(facts)])),
            new("(d) Recipients", new RecordBlock.Points([.. Recipients(facts)])),
            new("(e) Third countries", new RecordBlock.Paragraph(RecordText.Of(records?.Transfers, "transfers to third countries and their safeguards, or that there are none"))),
            new(
                "(f) Erasure",
                new RecordBlock.Paragraph(RecordText.Of(records?.Retention, "time limits for erasure")),
                new RecordBlock.Points(
                [
                    "An update is deleted from the outbox when the coordinator has it, or when it is refused; the ledger keeps its digest.",
                    "Prepared images, checkpoints and kept tensors of a run are deleted when the run ends or the hospital leaves the study.",
                    "Which patients an ended run trained on and which it held back is kept here under their keys, so that no model is "
                        + "judged by those it was trained on; that is deleted when the hospital leaves the study.",
                    "The ledger and the records of which rounds used which pseudonym are kept; they hold no image, name or identifier.",
                ])),
            new("(g) Security", new RecordBlock.Points([.. Measures.Of(facts)])),
            new("What has left so far", facts.RunTable()),
        ]);
    }

    /// <summary>What the program itself knows about the data.</summary>
    private static IEnumerable<RecordText> Known(StudyFacts facts)
    {
        foreach (var plan in facts.Plans.DistinctBy(plan => (plan.Preprocessing.Modality, string.Join(',', plan.Labels))))
        {
            yield return $"Runs asked for {plan.Preprocessing.Modality} images with outlines of {string.Join(" and ", plan.Labels)}; images and outlines do not leave the hospital.";
        }

        if (facts.Patients is { } patients) yield return string.Create(CultureInfo.InvariantCulture, $"Rounds of which something left used {patients} different patients, by the records kept here.");
        yield return string.Create(CultureInfo.InvariantCulture, $"{facts.Withdrawn} patients of this hospital have withdrawn and are left out of every round.");
    }

    private static IEnumerable<RecordText> Recipients(StudyFacts facts)
    {
        if (facts.Charter is null) yield return RecordText.Gap("recipients; the charter names them");
        foreach (var recipient in facts.Charter?.Recipients ?? []) yield return $"{recipient.Organisation}, {recipient.Country}, at {recipient.Address}: receives what leaves.";
        if (facts.Charter is not null) yield return "The hospitals of the study: receive the shared model.";
        yield return $"This hospital's agent sends to {facts.Site.Recipient}.";
    }
}
