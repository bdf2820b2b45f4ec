using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Yaml;

namespace FedSeg.Federation.Charters;

/// <summary>The outcome of reading a charter.</summary>
public abstract record CharterFileResult
{
    private CharterFileResult() { }

    public sealed record Valid(StudyCharter Charter) : CharterFileResult;

    /// <summary>Every problem, by line.</summary>
    public sealed record Invalid(ImmutableArray<YamlProblem> Problems) : CharterFileResult;
}

/// <summary>Reads a charter from the YAML that people write; unknown keys and impossible values are problems with their line, all at once.</summary>
public static class CharterFile
{
    private const int LongestText = 2000;

    /// <summary>The JSON schema of a charter as people write it.</summary>
    public static string Schema
    {
        get
        {
            using var stream = typeof(CharterFile).Assembly.GetManifestResourceStream("FedSeg.Federation.Charters.charter.schema.json")!;
            return new StreamReader(stream).ReadToEnd();
        }
    }

    /// <summary>A charter to be filled in. It is not valid as it stands: what only people know is left empty.</summary>
    public static string Template(StudyId study) => $$"""
        # The charter of a study: what its hospitals agree on before any of them trains for it. 'fedseg charter sign' makes it binding; each hospital's
        # privacy officer accepts it or does not. Where a hospital accepted none, nothing leaves for the study.
        study: {{study}}                 # as in the jobs of the study
        version: 1                       # a changed charter has a higher one and is accepted anew
        title: ""
        purpose: ""                      # what the model is for
        legalBasis: ""                   # such as: consent, Art. 6(1)(a) and 9(2)(a) GDPR
        sites: []                        # such as: [north, east, south]
        recipients:                      # who receives what leaves, and where: the coordinator's address, as agents dial it
          - { organisation: "", country: "", address: "https://coordinator.example.org:7443" }
        mode: blind                      # blind: only the sum of all hospitals' changes is seen; inspectable: each one, so that a spoilt one can be left out
        # What all runs of the study together may tell about one patient; with it only differentially private training is covered:
        # privacy: { maximumEpsilon: 8, delta: 0.00001 }
        bounds:                          # the runs that are covered; labels, networks: left out for any
          maximumRounds: 100
          maximumStepsPerRound: 1000
          maximumParameters: 50000000
          labels: []
          networks: []                   # such as: [unet3d]
          fingerprints: false            # whether counts of shapes, spacings and brightness may leave once, to plan a network by
        fourEyes: false                  # two different people of a hospital accept, approve runs and let updates leave
        expires: ""                      # the last day, such as 2027-12-31
        # For the records that the law asks for; what is left out is printed there as a gap:
        # records: { controllers: "", dataSubjects: "", dataCategories: "", retention: "", transfers: "" }

        """;

    public static CharterFileResult Parse(string yaml)
    {
        var problems = new List<YamlProblem>();
        var root = StrictYamlMap.Parse(yaml, problems);
        if (problems.Count > 0) return new CharterFileResult.Invalid([.. problems]);

        if (!StudyId.TryParse(root.Text("study"), null, out var study)) root.Refuse("study", "a study's name is 1 to 40 of a-z, 0-9 and '-'");
        var sites = root.Values<SiteId>("sites", text => SiteId.TryParse(text, null, out var site) ? site : null, "a site name (a-z, 0-9, '-')", 1, 1000);
        if (sites.Distinct().Count() != sites.Length) root.Refuse("sites", "a site is named twice");
        var mode = root.OneOf<CharterMode>("mode");
        var bounds = PlanBoundsReader.Read(root.Map("bounds")) with { BlindOnly = mode == CharterMode.Blind };
        var charter = new StudyCharter
        {
            Study = study,
            Version = root.WholeNumber("version", 1, 1_000_000),
            Title = Words(root, "title"),
            Purpose = Words(root, "purpose"),
            LegalBasis = Words(root, "legalBasis"),
            Sites = [.. sites.Order()],
            Recipients = [.. root.Maps("recipients", 1, 20).Select(ReadRecipient)],
            Mode = mode,
            Privacy = root.Has("privacy") ? ReadPrivacy(root.Map("privacy")) : null,
            Bounds = bounds,
            FourEyes = root.Flag("fourEyes", fallback: false),
            Expires = ReadDay(root, "expires"),
            Records = root.Has("records") ? ReadRecords(root.Map("records")) : new CharterRecords(),
        };
        root.RefuseUnknownKeys();
        return problems.Count == 0
            ? new CharterFileResult.Valid(charter)
            : new CharterFileResult.Invalid([.. problems.OrderBy(problem => problem.Line)]);
    }

    private static CharterRecipient ReadRecipient(StrictYamlMap recipient)
    {
        var address = recipient.Text("address");
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps) recipient.Refuse("address", "not an address that begins with https://");
        return new CharterRecipient(Words(recipient, "organisation"), Words(recipient, "country"), address);
    }

    private static CharterPrivacy ReadPrivacy(StrictYamlMap privacy) => new(privacy.Number("maximumEpsilon", 1e-6, 1000), privacy.Number("delta", 1e-12, 0.01));

    private static CharterRecords ReadRecords(StrictYamlMap records) => new()
    {
        Controllers = WordsOrNone(records, "controllers"),
        DataSubjects = WordsOrNone(records, "dataSubjects"),
        DataCategories = WordsOrNone(records, "dataCategories"),
        Retention = WordsOrNone(records, "retention"),
        Transfers = WordsOrNone(records, "transfers"),
    };

    private static string? WordsOrNone(StrictYamlMap map, string key) => map.Has(key) ? Words(map, key) : null;

    private static DateOnly ReadDay(StrictYamlMap root, string key)
    {
        if (DateOnly.TryParseExact(root.Text(key), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)) return day;
        root.Refuse(key, "not a day, such as 2027-12-31");
        return default;
    }

    /// <summary>What people wrote, to be shown to people.</summary>
    private static string Words(StrictYamlMap map, string key)
    {
        var text = map.Text(key).Trim();
        if (text.Length is 0 or > LongestText) map.Refuse(key, $"must have 1 to {LongestText} characters");
        else if (text.Any(letter => char.IsControl(letter) && letter != '\n')) map.Refuse(key, "has control characters");
        return text;
    }
}
