using System.Globalization;
using FedSeg.Federation.Charters;

namespace FedSeg.Cli.Studies.Records;

/// <summary>What patients are told (Art. 13 and 14 GDPR), in words that need no training.</summary>
internal static class TransparencyText
{
    public static RecordDocument Of(StudyFacts facts)
    {
        var charter = facts.Charter;
        var budget = facts.Policy?.TightenedBy(charter).Budgets is { IsEmpty: false } budgets ? budgets.MinBy(one => one.MaximumEpsilon) : null;
        return new RecordDocument("transparency", $"Information for patients: {charter?.Title ?? facts.History.Study.ToString()}",
        [
            new("What this is about", new RecordBlock.Points(
            [
                RecordText.Of(charter?.Purpose, "what the study is for, in plain words"),
                "Hospitals train a computer model together. Each one trains it on its own images, in its own rooms. The images, names and numbers of patients stay in the hospital.",
                "What leaves the hospital is how the training changed the model: a long list of numbers, with how many cases there were and how well the model did on average.",
            ])),
            new("Who is responsible", new RecordBlock.Points(
            [
                RecordText.Of(charter?.Records.Controllers, "the hospital's name and address, and who is jointly responsible"),
                RecordText.Gap("contact of the hospital's data protection officer"),
            ])),
            new("Which of your data", new RecordBlock.Points(
            [
                RecordText.Of(charter?.Records.DataCategories, "which data, in plain words"),
                RecordText.Of(charter?.Records.DataSubjects, "whose data"),
            ])),
            new("On what ground", new RecordBlock.Paragraph(RecordText.Of(charter?.LegalBasis, "legal basis"))),
            new("Who receives what leaves", new RecordBlock.Points(charter is null
                ? [RecordText.Gap("recipients")]
                :
                [
                    .. charter.Recipients.Select(recipient => (RecordText)$"{recipient.Organisation}, {recipient.Country}."),
                    $"The hospitals that take part receive the shared model: {string.Join(", ", charter.Sites)}.",
                    RecordText.Of(charter.Records.Transfers, "whether data go to countries outside the EU, and what protects them there"),
                ])),
            new("How you are protected", new RecordBlock.Points(
            [
                charter?.Mode switch
                {
                    CharterMode.Blind => "The hospitals' changes are masked: nobody outside the hospital can read this hospital's own, only the sum of all.",
                    CharterMode.Inspectable => "The recipient can look at this hospital's change by itself. It holds no images, but somebody with great effort might try to learn about patients from it.",
                    _ => RecordText.Gap("whether recipients see this hospital's change or only the sum of all"),
                },
                budget is not null
                    ? string.Create(CultureInfo.InvariantCulture, $"Noise is mixed in, which limits what can be learnt about a single patient from everything that leaves (ε at most {budget.MaximumEpsilon}; the smaller, the less).")
                    : "What single patients contribute is averaged with that of others; no noise is mixed in.",
                "Everything that leaves is written down first, in a book that nobody can change unnoticed.",
            ])),
            new("How long", new RecordBlock.Points(
            [
                charter is null ? RecordText.Gap("until when the study runs") : $"Nothing leaves for the study after {charter.Expires:d MMMM yyyy}.",
                RecordText.Of(charter?.Records.Retention, "when data are erased"),
            ])),
            new("Your rights", new RecordBlock.Points(
            [
                "If you no longer want to take part, tell the hospital. From then on your images are not used in any round. The hospital can tell you which models have learnt from them.",
                "What a model has learnt before can't be taken out of it afterwards; it could only be trained again without you.",
                RecordText.Gap("how to reach the hospital about access, rectification, erasure, restriction and objection"),
                RecordText.Gap("the supervisory authority for complaints"),
            ])),
            facts.Source(),
        ]);
    }
}
