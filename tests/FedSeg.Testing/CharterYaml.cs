namespace FedSeg.Testing;

/// <summary>The charter of a small study, as people wrote it.</summary>
public static class CharterYaml
{
    public const string Kidneys = """
        study: kidneys-2026
        version: 1
        title: Outlining kidneys and tumours on CT
        purpose: A model that outlines kidneys and kidney tumours, to plan operations.
        legalBasis: Consent, Art. 6(1)(a) and 9(2)(a) GDPR
        sites: [south, north, east]
        recipients:
          - { organisation: University of Nowhere, country: Germany, address: "https://coordinator.example:7443" }
        mode: inspectable
        bounds: { maximumRounds: 5, maximumStepsPerRound: 20, maximumParameters: 100000 }
        expires: 2026-06-30
        """;

    /// <summary>The same with other words in it.</summary>
    public static string With(params (string Before, string Now)[] changes) =>
        changes.Aggregate(Kidneys, (text, change) => text.Replace(change.Before, change.Now, StringComparison.Ordinal));
}
