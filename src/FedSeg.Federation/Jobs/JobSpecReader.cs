using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using FedSeg.Federation.Aggregation.Rules;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Federation.Yaml;

namespace FedSeg.Federation.Jobs;

/// <summary>The outcome of reading a job file.</summary>
public abstract record JobSpecResult
{
    private JobSpecResult() { }

    /// <summary>The job is complete and consistent in itself; whether its sites and labels exist, only the coordinator knows.</summary>
    public sealed record Valid(JobSpec Job) : JobSpecResult;

    /// <summary>The job can't be used; every problem is listed.</summary>
    public sealed record Invalid(ImmutableArray<YamlProblem> Problems) : JobSpecResult;
}

/// <summary>
/// Reads a job from YAML: unknown keys, wrong values and contradictions are problems with their line, all at once. The keys are described for editors by
/// <c>job.schema.json</c> beside this file.
/// </summary>
public static partial class JobSpecReader
{
    /// <summary>The JSON schema of a job file.</summary>
    public static string Schema
    {
        get
        {
            using var stream = typeof(JobSpecReader).Assembly.GetManifestResourceStream("FedSeg.Federation.Jobs.job.schema.json")!;
            return new StreamReader(stream).ReadToEnd();
        }
    }

    public static JobSpecResult Read(string yaml)
    {
        var problems = new List<YamlProblem>();
        var root = StrictYamlMap.Parse(yaml, problems);
        if (problems.Count > 0) return new JobSpecResult.Invalid([.. problems]);

        var name = root.Text("name");
        if (!NamePattern().IsMatch(name)) root.Refuse("name", $"'{Quote.Of(name)}' is not 1 to 40 of a-z, 0-9 and '-'");

        StudyId study = default;
        if (root.Has("study") && !StudyId.TryParse(root.Text("study"), null, out study)) root.Refuse("study", "a study's name is 1 to 40 of a-z, 0-9 and '-'");

        var sites = root.Values<SiteId>("sites", text => SiteId.TryParse(text, null, out var site) ? site : null, "a site name (a-z, 0-9, '-')", 1, 1000);
        if (sites.Distinct().Count() != sites.Length) root.Refuse("sites", "a site is named twice");

        var labels = root.Texts("labels", LabelPattern().IsMatch, "a label name (1 to 64 of letters, digits, space, '-', '_', '.')", 1, 255);
        if (labels.Distinct(StringComparer.OrdinalIgnoreCase).Count() != labels.Length) root.Refuse("labels", "a label is named twice");

        var (architecture, planning) = NetworkReader.Read(root.Map("model"), labels.Length + 1);

        var data = root.Map("data");
        var modality = ReadModality(data);
        var preprocessing = planning is null ? ReadPreprocessing(data, modality, architecture) : PreprocessingSpec.ToBePlanned(modality);
        var heldBack = data.Number("heldBackFraction", 0.05, 0.5, fallback: 0.2);

        var recipe = RecipeReader.Read(root.Map("training"), isPlanned: planning is not null);

        if (recipe.Privacy is not null && planning is not null)
        {
            root.Map("training").Refuse(
                "privacy",
                "a fingerprint is counted without noise, so the run as a whole would cost a patient more than its epsilon says; run a planned job without privacy first, and name "
                    + "the network that came of it");
        }

        var aggregation = root.Map("aggregation", required: false);
        var (strategy, quorum, blind) = AggregationReader.Read(aggregation, sites);
        if (recipe.Privacy is not null && strategy.Rule is FairMean) aggregation.Refuse("strategy", "qfedavg looks at the sites' training losses, which private training does not tell");
        var deadline = aggregation.Number("roundDeadlineMinutes", 0.05, 10_080, fallback: 120);
        var required = aggregation.Has("requiredSites") ? AggregationReader.ReadRequired(aggregation, sites) : [];

        if (recipe.UpdateEncoding.IsSparse() && strategy.Rule is CoordinateMedian or TrimmedMean or Bulyan)
        {
            aggregation.Refuse(
                "strategy",
                $"{strategy.Rule.Describe()} compares the sites weight by weight, and of most weights a sparse update says nothing: it would take those zeros for their word; "
                    + "use fedavg, or another updateEncoding");
        }

        if (blind is not null && recipe.UpdateEncoding != UpdateEncoding.F32)
        {
            aggregation.Refuse(
                "mode", "a blind round needs updateEncoding f32: a masked update has an encoding of its own, three bytes a weight");
        }

        if (blind is not null && recipe.Algorithm is LocalAlgorithm.Scaffold)
        {
            aggregation.Refuse("mode", "a blind round sums changes of weights only; SCAFFOLD's control variates need an inspectable one");
        }

        var job = new JobSpec
        {
            Name = name,
            Study = root.Has("study") ? study : null,
            Priority = ReadPriority(root),
            Sites = [.. sites.Order()],
            Rounds = root.WholeNumber("rounds", 1, 10_000),
            Labels = labels,
            Planning = planning,
            Architecture = architecture,
            Preprocessing = preprocessing,
            Recipe = recipe,
            Aggregation = strategy,
            Blind = blind,
            Quorum = quorum,
            RequiredSites = required,
            MinimumCasesPerRound = aggregation.WholeNumber("minimumCasesPerRound", 0, 100_000_000, fallback: 0),
            RoundDeadlineMinutes = deadline,
            GraceMinutes = aggregation.Number("graceMinutes", 0, 10_080, fallback: deadline / 4),
            HeldBackFraction = heldBack,
            MinimumCases = root.WholeNumber("minimumCases", 1, 1_000_000, fallback: 10),
            Egress = root.Has("egress") ? ReadEgress(root.Map("egress")) : null,
            Seed = (ulong)root.WholeNumber64("seed", 0, long.MaxValue, fallback: 1),
        };
        root.RefuseUnknownKeys();
        return problems.Count == 0
            ? new JobSpecResult.Valid(job)
            : new JobSpecResult.Invalid([.. problems.OrderBy(problem => problem.Line)]);
    }

    private static JobPriority ReadPriority(StrictYamlMap root)
    {
        if (!root.Has("priority")) return JobPriority.Normal;
        switch (root.Text("priority"))
        {
            case "low": return JobPriority.Low;
            case "normal": return JobPriority.Normal;
            case "high": return JobPriority.High;
            case var other:
                root.Refuse("priority", $"'{Quote.Of(other)}' is not one of: low, normal, high");
                return JobPriority.Normal;
        }
    }

    private static EgressBounds ReadEgress(StrictYamlMap egress) => new()
    {
        MaximumNorm = egress.Has("maximumNorm") ? egress.Number("maximumNorm", double.Epsilon, 1e12) : null,
        MaximumTensorRatio = egress.Has("maximumTensorRatio") ? egress.Number("maximumTensorRatio", double.Epsilon, 1e6) : null,
        MinimumTrainingCases = egress.Has("minimumTrainingCases") ? egress.WholeNumber("minimumTrainingCases", 1, 1_000_000) : null,
        MinimumHeldBackCases = egress.Has("minimumHeldBackCases") ? egress.WholeNumber("minimumHeldBackCases", 1, 1_000_000) : null,
    };

    private static string ReadModality(StrictYamlMap data)
    {
        var modality = data.Text("modality");
        if (modality is not ("MR" or "CT")) data.Refuse("modality", $"'{Quote.Of(modality)}' is not one of: MR, CT");
        return modality;
    }

    private static PreprocessingSpec ReadPreprocessing(StrictYamlMap data, string modality, ArchitectureSpec architecture)
    {
        var patch = data.Values<int>(
            "patchVoxels",
            text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var v) && v is >= 1 and <= 1024 ? v : null,
            "a whole number from 1 to 1024",
            3,
            3);
        if (patch.Length == 3 && ArchitectureCatalog.Problems(architecture).Count == 0)
        {
            foreach (var problem in ArchitectureCatalog.PatchProblems(architecture, patch)) data.Refuse("patchVoxels", problem);
        }

        return new PreprocessingSpec
        {
            Modality = modality,
            SpacingMm = data.Numbers("spacingMm", 0.05, 20, count: 3),
            PatchVoxels = patch,
            Intensity = data.Has("intensity") ? ReadIntensity(data, modality) : null,
            Crop = ReadCrop(data, modality),
        };
    }

    private static CropRule ReadCrop(StrictYamlMap data, string modality)
    {
        var crop = data.OneOf<CropRule>("crop", CropRule.None);
        if (crop == CropRule.NonzeroMasked && modality == "CT") data.Refuse("crop", "nonzeroMasked is for images normalised each by itself; CT is not");
        return crop;
    }

    private static ForegroundIntensity ReadIntensity(StrictYamlMap data, string modality)
    {
        const double largest = 1e6;
        var map = data.Map("intensity");
        var intensity = new ForegroundIntensity
        {
            Mean = map.Number("mean", -largest, largest),
            Deviation = map.Number("deviation", 0, largest),
            LowerClip = map.Number("lowerClip", -largest, largest),
            UpperClip = map.Number("upperClip", -largest, largest),
        };
        if (modality != "CT") data.Refuse("intensity", "is for CT; other images are normalised each by itself");
        else if (intensity.Problem() is { } problem) data.Refuse("intensity", problem);
        return intensity;
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,39}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex LabelPattern();
}
