using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Testing;

namespace FedSeg.Federation.Tests.Charters;

public sealed class CharterFileTests
{
    [Fact]
    public void Parse_WhatPeopleWrote_IsTheCharter()
    {
        var charter = Charter(
            ("expires:", "privacy: { maximumEpsilon: 8, delta: 0.00001 }\nfourEyes: true\nrecords: { retention: Ten years. }\nexpires:"), ("mode: inspectable", "mode: blind"));

        Assert.Equal(("kidneys-2026", 1, CharterMode.Blind, true), (charter.Study.ToString(), charter.Version, charter.Mode, charter.FourEyes));
        Assert.Equal(["east", "north", "south"], charter.Sites.Select(site => site.ToString()));
        Assert.Equal([new CharterRecipient("University of Nowhere", "Germany", "https://coordinator.example:7443")], charter.Recipients);
        Assert.Equal(new CharterPrivacy(8, 1e-5), charter.Privacy);
        Assert.Equal((5, 20, 100_000L, true), (charter.Bounds.MaximumRounds, charter.Bounds.MaximumStepsPerRound, charter.Bounds.MaximumParameters, charter.Bounds.BlindOnly));
        Assert.Equal((new DateOnly(2026, 6, 30), "Ten years.", null), (charter.Expires, charter.Records.Retention, charter.Records.Controllers));
    }

    [Fact]
    public void Parse_ManyMistakes_NamesEachWithItsLine()
    {
        const string yaml = """
            study: Kidneys 2026
            version: 0
            title: ""
            legalBasis: Consent
            sites: [north, north, "of the West"]
            recipients:
              - { organisation: University, country: Germany, address: "http://coordinator.example" }
              - not a mapping
            mode: secret
            privacy: { maximumEpsilon: 0, delta: 0.5 }
            bounds: { maximumRounds: 5, maximumStepsPerRound: 20, maximumParameters: 100000, networks: [gpt] }
            fourEyes: perhaps
            expires: next year
            exprise: 2026-06-30
            """;
        var problems = Assert.IsType<CharterFileResult.Invalid>(CharterFile.Parse(yaml)).Problems.Select(problem => problem.ToString()).ToList();

        string[] expected =
        [
            "line 1: purpose: missing", "line 1: study:", "line 2: version:", "line 3: title: must have", "line 5: sites: a site is named twice", "line 5: sites: 'of the West'",
            "line 7: recipients[0].address: not an address", "line 8: recipients: 'not a mapping'", "line 9: mode:", "line 10: privacy.delta:", "line 10: privacy.maximumEpsilon:",
            "line 11: bounds.networks: 'gpt'", "line 12: fourEyes:", "line 13: expires: not a day", "line 14: exprise: unknown key",
        ];
        Assert.All(expected, start => Assert.Contains(problems, problem => problem.StartsWith(start, StringComparison.Ordinal)));
        Assert.Equal(problems, problems.OrderBy(problem => int.Parse(problem.Split(' ', ':')[1])));
    }

    [Fact]
    public void Template_FilledIn_IsValidAndAsItStandsIsNot()
    {
        var template = CharterFile.Template(StudyId.Parse("kidneys-2026"));
        Assert.IsType<CharterFileResult.Invalid>(CharterFile.Parse(template));
        var filled = template
            .Replace("title: \"\"", "title: T", StringComparison.Ordinal)
            .Replace("purpose: \"\"", "purpose: P", StringComparison.Ordinal)
            .Replace("legalBasis: \"\"", "legalBasis: L", StringComparison.Ordinal)
            .Replace("sites: []", "sites: [north]", StringComparison.Ordinal)
            .Replace("organisation: \"\", country: \"\"", "organisation: O, country: C", StringComparison.Ordinal)
            .Replace("expires: \"\"", "expires: 2027-12-31", StringComparison.Ordinal);

        Assert.IsType<CharterFileResult.Valid>(CharterFile.Parse(filled));
    }

    [Fact]
    public void Hash_OtherOrderAndComments_IsTheSame_AndOfAnotherWordIsNot()
    {
        var same = string.Join('\n', CharterYaml.Kidneys.Split('\n').TakeLast(3).Append("# a comment").Concat(CharterYaml.Kidneys.Split('\n').SkipLast(3)));

        Assert.Equal(Charter().Hash, Assert.IsType<CharterFileResult.Valid>(CharterFile.Parse(same)).Charter.Hash);
        Assert.NotEqual(Charter().Hash, Charter(("to plan operations", "to sell")).Hash);
    }

    [Theory]
    [InlineData("mode: inspectable", "mode: blind", "Blind: each hospital's change is masked before it leaves")]
    [InlineData("mode: inspectable", "mode: inspectable", "Inspectable: the recipients see each hospital's change by itself.")]
    [InlineData("expires: 2026-06-30", "expires: 2026-07-01", "It ends after 1 July 2026.")]
    [InlineData("expires:", "fourEyes: true\nexpires:", "Four eyes: two different people")]
    [InlineData("expires:", "privacy: { maximumEpsilon: 8, delta: 0.00001 }\nexpires:", "at most ε = 8 at δ = 0.00001")]
    [InlineData("maximumParameters: 100000", "maximumParameters: 100000, labels: [kidney]", "It outlines kidney and nothing else.")]
    [InlineData("maximumParameters: 100000", "maximumParameters: 100000, networks: [unet3d]", "100,000 numbers (unet3d).")]
    [InlineData("maximumParameters: 100000", "maximumParameters: 100000, fingerprints: true", "a run may ask once how many cases")]
    public void Explanation_OfEachChoice_SaysIt(string before, string now, string words) =>
        Assert.Contains(words, string.Join("\n", CharterExplanation.Of(Charter((before, now)))), StringComparison.Ordinal);

    internal static StudyCharter Charter(params (string Before, string Now)[] changes) =>
        Assert.IsType<CharterFileResult.Valid>(CharterFile.Parse(CharterYaml.With(changes))).Charter;
}
