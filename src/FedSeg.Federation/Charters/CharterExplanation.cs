using System.Globalization;

namespace FedSeg.Federation.Charters;

/// <summary>What a charter says, for somebody who decides about it and never trained a network.</summary>
public static class CharterExplanation
{
    /// <summary>One sentence or two per point.</summary>
    public static IReadOnlyList<string> Of(StudyCharter charter) =>
    [
        $"The study {charter.Study}, version {charter.Version} of its charter: {charter.Title}",
        $"Why: {charter.Purpose}",
        $"On what ground patients' data are processed: {charter.LegalBasis}",
        $"Who takes part: {string.Join(", ", charter.Sites)}.",
        .. charter.Recipients.Select(recipient =>
            $"Who receives what leaves this hospital: {recipient.Organisation}, {recipient.Country}, at {recipient.Address}. The shared model goes from there to the other hospitals."),
        Of(charter.Mode),
        OfPrivacy(charter.Privacy),
        .. OfBounds(charter),
        charter.FourEyes
            ? "Four eyes: two different people of this hospital accept the charter, approve a run of the study, let an update of it leave when a person is asked, and agree to a change of the hospital's own policy."
            : "One person of this hospital is enough to accept it and to decide in it, unless the hospital's own policy asks for two.",
        Text($"It ends after {charter.Expires:d MMMM yyyy}. From then on nothing leaves for the study."),
    ];

    /// <summary>What a mode means. The choice between the two is the charter's, and holds for every run of the study.</summary>
    public static string Of(CharterMode mode) => mode == CharterMode.Blind
        ? "Blind: each hospital's change is masked before it leaves, and only the sum of all can be read. Nobody can try to learn about patients from one hospital's change, "
            + "but a hospital that spoils the model, by accident or on purpose, can't be found out and left out."
        : "Inspectable: the recipients see each hospital's change by itself. One that would spoil the model can be limited or left out, but whoever sees a change could try to "
            + "learn about patients from it.";

    private static string OfPrivacy(CharterPrivacy? privacy) => privacy is null
        ? "No differential privacy is asked for: what single patients contribute is averaged, not hidden."
        : Text($"Differential privacy is asked for: all runs of the study together may cost a patient at most ε = {privacy.MaximumEpsilon} at δ = {privacy.Delta:0.############}; the smaller ε, the less can be learnt about one patient.");

    private static IEnumerable<string> OfBounds(StudyCharter charter)
    {
        var bounds = charter.Bounds;
        yield return Text($"A run of it has at most {bounds.MaximumRounds:N0} rounds of at most {bounds.MaximumStepsPerRound:N0} training steps, and a network of at most {bounds.MaximumParameters:N0} numbers")
            + (bounds.Networks.IsEmpty ? "." : $" ({string.Join(", ", bounds.Networks)}).");
        yield return bounds.Labels.IsEmpty ? "It may outline whatever this hospital has outlined." : $"It outlines {string.Join(" and ", bounds.Labels)} and nothing else.";
        yield return bounds.Fingerprints
            ? "To plan a network, a run may ask once how many cases have which size, resolution and brightness: counts, without small ones."
            : "No counts of what the images are like may leave to plan a network by.";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
