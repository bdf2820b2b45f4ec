using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using FedSeg.Egress.Charters;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Review;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Yaml;
using FedSeg.Privacy.Budget;

namespace FedSeg.Egress.Policy;

/// <summary>The outcome of reading a policy file.</summary>
public abstract record EgressPolicyResult
{
    private EgressPolicyResult() { }

    /// <summary>It says what may leave.</summary>
    /// <param name="Policy">The policy.</param>
    /// <param name="Yaml">The bytes it was read from.</param>
    public sealed record Valid(EgressPolicy Policy, ReadOnlyMemory<byte> Yaml) : EgressPolicyResult;

    /// <summary>Nothing may leave; every problem is listed.</summary>
    public sealed record Invalid(ImmutableArray<YamlProblem> Problems) : EgressPolicyResult;
}

/// <summary>
/// Reads the site's policy from YAML: <c>maximumUpdateBytes</c> and <c>maximumNorm</c> are required, the other keys of <see cref="Schema"/> are not; unknown
/// keys and values out of range are problems with their line, all at once.
/// </summary>
public static partial class EgressPolicyFile
{
    private const long MaxFileBytes = 1 << 20;

    /// <summary>The JSON schema of a policy file.</summary>
    public static string Schema
    {
        get
        {
            using var stream = typeof(EgressPolicyFile).Assembly.GetManifestResourceStream("FedSeg.Egress.Policy.egress-policy.schema.json")!;
            return new StreamReader(stream).ReadToEnd();
        }
    }

    /// <summary>Reads the file; a missing or unreadable one is a problem, never a default.</summary>
    public static EgressPolicyResult Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) return Refuse($"there is no egress policy at {path}, so nothing may leave; the site's operator must write one");
            if (file.Length > MaxFileBytes) return Refuse($"{path} has {file.Length} bytes; a policy has at most {MaxFileBytes}");
            return Parse(File.ReadAllBytes(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Refuse($"{path} can't be read: {error.Message}");
        }
    }

    /// <summary>Reads the bytes of a policy file.</summary>
    public static EgressPolicyResult Parse(ReadOnlySpan<byte> yaml)
    {
        var problems = new List<YamlProblem>();
        var root = StrictYamlMap.Parse(Encoding.UTF8.GetString(yaml), problems);
        if (problems.Count > 0) return new EgressPolicyResult.Invalid([.. problems]);

        var policy = new EgressPolicy
        {
            MaximumUpdateBytes = root.WholeNumber64("maximumUpdateBytes", 1, 1L << 40),
            MaximumNorm = root.Number("maximumNorm", double.Epsilon, 1e12),
            MinimumTrainingCases = root.WholeNumber("minimumTrainingCases", 1, 1_000_000, fallback: 10),
            MinimumHeldBackCases = root.WholeNumber("minimumHeldBackCases", 1, 1_000_000, fallback: 5),
            MinimumReportedCount = root.WholeNumber("minimumReportedCount", 1, 1_000_000, fallback: 5),
            Requantisation = root.OneOf<Requantisation>("requantisation", Requantisation.Bits16),
            MaximumMetrics = root.WholeNumber("maximumMetrics", 0, 1000, fallback: 50),
            MaximumNormDeviation = Bounded(root.Number("maximumNormDeviation", 0, 1000, fallback: 0)),
            MaximumTensorRatio = Bounded(root.Number("maximumTensorRatio", 0, 1e6, fallback: 0)),
            MaximumImageSimilarity = root.Number("maximumImageSimilarity", 0, 1, fallback: 0.5) is < 1 and var similarity ? similarity : null,
            MaximumUpdatesPerDay = (int?)Bounded(root.WholeNumber("maximumUpdatesPerDay", 0, 1_000_000, fallback: 0)),
            MaximumBytesPerDay = (long?)Bounded(root.WholeNumber64("maximumBytesPerDay", 0, 1L << 50, fallback: 0)),
            Review = Mode(root),
            ReviewTime = TimeSpan.FromHours(root.WholeNumber("reviewHours", 1, 24 * 365, fallback: 72)),
            ApprovalTime = TimeSpan.FromDays(root.WholeNumber("approvalDays", 1, 366, fallback: 30)),
            Approvals = root.WholeNumber("approvals", 1, 2, fallback: 1),
            Changes = root.OneOf<PolicyChanges>("policyChanges", PolicyChanges.AtOnce),
            PlansWithin = root.Has("plansWithin") ? ReadBounds(root.Map("plansWithin")) : null,
            PrivacyBudget = root.Has("privacyBudget") ? ReadBudget(root.Map("privacyBudget")) : null,
            MinimumBlindSites = root.WholeNumber("minimumBlindSites", BlindSpec.FewestSites, BlindSpec.MostSites, fallback: 5),
            RunsWithoutCharter = root.Flag("runsWithoutCharter", fallback: false),
            Hash = Sha256Digest.Of(yaml),
        };
        root.RefuseUnknownKeys();
        return problems.Count == 0
            ? new EgressPolicyResult.Valid(policy, yaml.ToArray())
            : new EgressPolicyResult.Invalid([.. problems.OrderBy(problem => problem.Line)]);
    }

    private static PlanBounds ReadBounds(StrictYamlMap bounds) =>
        PlanBoundsReader.Read(bounds) with { BlindOnly = bounds.Flag("blindOnly", fallback: false) };

    private static PrivacyBudget ReadBudget(StrictYamlMap budget)
    {
        var cohort = budget.Text("cohort");
        if (!CohortName().IsMatch(cohort)) budget.Refuse("cohort", "a cohort's name is 1 to 40 of a-z, 0-9 and '-'");
        if (cohort.StartsWith(CharterBudget.Prefix, StringComparison.Ordinal)) budget.Refuse("cohort", $"names that begin with '{CharterBudget.Prefix}' are those of studies' budgets");
        return new PrivacyBudget(cohort, budget.Number("maximumEpsilon", 1e-6, 1000), budget.Number("delta", 1e-12, 0.01));
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,39}\z", RegexOptions.CultureInvariant)]
    private static partial Regex CohortName();

    private static ReviewMode Mode(StrictYamlMap root)
    {
        var text = root.Text("review", StandingAuthority.NameOf(ReviewMode.EveryRound));
        foreach (var mode in Enum.GetValues<ReviewMode>())
        {
            if (StandingAuthority.NameOf(mode) == text) return mode;
        }

        root.Refuse("review", $"not one of: {string.Join(", ", Enum.GetValues<ReviewMode>().Select(StandingAuthority.NameOf))}");
        return ReviewMode.EveryRound;
    }

    /// <summary>0 says that there is no bound.</summary>
    private static double? Bounded(double value) => value == 0 ? null : value;

    private static EgressPolicyResult.Invalid Refuse(string message) => new([new YamlProblem(0, message)]);
}
