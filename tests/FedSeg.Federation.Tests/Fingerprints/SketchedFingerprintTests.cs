using System.Collections.Immutable;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Fingerprints;

public sealed class SketchedFingerprintTests
{
    private static readonly ImmutableArray<string> Labels = ["spleen"];

    private sealed record Case(double[] SpacingMm, int[] Shape, double[] Foreground, double ShareKept = 1, string? Patient = null);

    [Fact]
    public void Merge_ThreeSites_EqualsThePooledDataWithinABin()
    {
        // So many that no bin is suppressed: a suppressed one would move ranks, which the stated error allows for beside the bin's width.
        var sites = Enumerable.Range(0, 3).Select(site => Cases(site, count: 1500)).ToArray();
        var pooled = Pool(sites);

        var merged = SketchedFingerprint.Merge([.. sites.Select(cases => Seal(cases, leastCases: 2))]);

        Assert.Equal(4500, merged.Cases);
        for (var axis = 0; axis < 3; axis++)
        {
            Assert.All(new[] { 0.1, 0.5, 0.9 }, share => Assert.Equal(pooled.SpacingQuantile(axis, share), merged.SpacingQuantile(axis, share), SketchBins.SpacingMm.Width));
            Assert.Equal(pooled.MedianShape(axis), merged.MedianShape(axis), SketchBins.Voxels.Width);
            // An extent's bin of 8 mm at 2 mm, and half a voxel of rounding.
            Assert.Equal(pooled.MedianShapeAt(axis, 2), merged.MedianShapeAt(axis, 2), SketchBins.ExtentMm.Width / 2 + 0.5);
        }
    }

    [Fact]
    public void Merge_Intensities_EqualThePooledStatistics()
    {
        var sites = Enumerable.Range(0, 3).Select(site => Cases(site, count: 400)).ToArray();

        var intensity = SketchedFingerprint.Merge([.. sites.Select(cases => Seal(cases, leastCases: 2))]).Intensity!;

        // Every case weighs the same, however many voxels it has; all have 100 here, so the pooled values are the truth.
        double[] all = [.. sites.SelectMany(cases => cases).SelectMany(entry => entry.Foreground).Order()];
        var mean = all.Average();
        Assert.Equal(mean, intensity.Mean, 1e-9);
        Assert.Equal(Math.Sqrt(all.Average(value => (value - mean) * (value - mean))), intensity.Deviation, 1e-9);
        Assert.Equal(all[(int)(0.005 * all.Length)], intensity.LowerClip, 1.0);
        Assert.Equal(all[(int)(0.995 * all.Length)], intensity.UpperClip, 1.0);
    }

    [Fact]
    public void Merge_SitesThatShareOneProtocol_PlanExactlyAsThePooledData()
    {
        var pooled = new ListedFingerprint
        {
            Cases = 40,
            Classes = 2,
            Modality = "CT",
            Intensity = null,
            SpacingsMm = [.. Enumerable.Repeat<ImmutableArray<double>>([1.6, 0.7929, 0.7929], 40)],
            Shapes = [.. Enumerable.Repeat<ImmutableArray<double>>([187, 512, 512], 40)],
        };
        var site = Seal([.. Enumerable.Range(0, 20).Select(_ => new Case([1.6, 0.7929, 0.7929], [187, 512, 512], [10, 20]))], leastCases: 5);

        var merged = SketchedFingerprint.Merge([site, site]);

        var (expected, actual) = (TrainingPlanner.Plan(pooled, PlannerPresetName.Plain).Main(), TrainingPlanner.Plan(merged, PlannerPresetName.Plain).Main());
        Assert.Equal(expected.PatchVoxels.AsEnumerable(), actual.PatchVoxels);
        Assert.Equal(expected.SpacingMm, actual.SpacingMm, (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(expected.MedianShape.AsEnumerable(), actual.MedianShape);
    }

    [Fact]
    public void Seal_BinsOfFewPatients_AreLeftOutAndOwnedUpTo()
    {
        // Fourteen cases at 1 mm; three at 3 mm and three at 5 mm, too few each, are enough together not to be told by what is missing.
        var cases = Enumerable.Range(0, 20).Select(i => new Case([i < 14 ? 1 : i < 17 ? 3 : 5, 1, 1], [40, 40, 40], [50])).ToArray();

        var site = Seal(cases, leastCases: 5);

        var spacing = site.SpacingMm[0];
        Assert.Equal(SketchBins.SpacingMm.IndexOf(1), Assert.Single(spacing.Filled).Index);
        Assert.Equal(0.3, spacing.SuppressedShare(), 1e-12);
        Assert.All(site.SpacingMm.Concat(site.Voxels).Concat(site.ExtentMm).Append(site.ShareKept).Append(site.Intensity).SelectMany(sketch => sketch.Filled), bin => Assert.True(bin.Patients >= 5));
        Assert.Null(site.Problem());
    }

    [Fact]
    public void Seal_OnePatientAlone_IsNeitherToldNorMissed()
    {
        // Nine cases at 1 mm and one at 3 mm: 9 of 10 would tell of that one as well as its own bin.
        var cases = Enumerable.Range(0, 10).Select(i => new Case([i == 9 ? 3 : 1, 1, 1], [40, 40, 40], [50])).ToArray();

        var spacing = Seal(cases, leastCases: 5).SpacingMm[0];

        Assert.Equal(new SketchBin(SketchBins.SpacingMm.IndexOf(1), 10, 10, 10), Assert.Single(spacing.Filled));
        Assert.Equal(0, spacing.SuppressedWeight);
    }

    [Fact]
    public void Seal_ManyCasesOfOnePatient_CountOnce()
    {
        // Six cases at 3 mm, all of one patient, beside fourteen at 1 mm of as many.
        var cases = Enumerable.Range(0, 20).Select(i => new Case([i < 14 ? 1 : 3, 1, 1], [40, 40, 40], [50], Patient: i < 14 ? $"p{i}" : "one")).ToArray();

        var spacing = Seal(cases, leastCases: 5).SpacingMm[0];

        Assert.Equal(SketchBins.SpacingMm.IndexOf(1), Assert.Single(spacing.Filled).Index);
        Assert.Null(Builder([.. cases.Skip(11)]).Seal(leastCases: 5));
    }

    /// <summary>Mean and spread of the labelled voxels would be those of one patient's, seen five times.</summary>
    [Fact]
    public void Seal_OnePatientHasAllThatIsLabelled_TellsNothing()
    {
        Case[] cases = [.. Enumerable.Range(0, 20).Select(i => new Case([1, 1, 1], [40, 40, 40], i < 5 ? [50] : [], Patient: i < 5 ? "one" : $"p{i}"))];

        Assert.Null(Builder(cases).Seal(leastCases: 5));
        Assert.NotNull(Builder([.. cases.Select((entry, i) => entry with { Patient = $"p{i}" })]).Seal(leastCases: 5));
    }

    [Fact]
    public void Merge_WithSuppressedBins_QuantilesKeepTheirStatedError()
    {
        var sites = Enumerable.Range(0, 3).Select(site => Cases(site, count: 60)).ToArray();
        var merged = sites.Select(cases => Seal(cases, leastCases: 5)).ToList();
        var extent = Sketch.Merge(merged.Select(site => site.ExtentMm[0]));
        var pooled = sites.SelectMany(cases => cases).Select(entry => entry.SpacingMm[0] * entry.Shape[0]).Order().ToArray();

        Assert.InRange(extent.SuppressedShare(), 0.01, 0.9);
        foreach (var share in new[] { 0.25, 0.5, 0.75 })
        {
            // Whatever is left out may lie below or above; the whole rank moves by at most its share.
            var (least, most) = (pooled[(int)(Math.Max(0, share - extent.SuppressedShare()) * (pooled.Length - 1))],
                pooled[(int)Math.Ceiling(Math.Min(1, share + extent.SuppressedShare()) * (pooled.Length - 1))]);
            Assert.InRange(extent.Quantile(share), least - SketchBins.ExtentMm.Width, most + SketchBins.ExtentMm.Width);
        }
    }

    [Theory]
    [InlineData(0.5, 0.8, CropRule.NonzeroMasked)]
    [InlineData(0.8, 0.5, CropRule.Nonzero)]
    public void Merge_ShareLeftByCropping_DecidesWhetherTheMaskCounts(double ofMost, double ofFew, CropRule expected)
    {
        var most = Seal([.. Enumerable.Range(0, 12).Select(_ => new Case([1, 1, 1], [40, 40, 40], [50], ofMost))], leastCases: 5, "MR");
        var few = Seal([.. Enumerable.Range(0, 8).Select(_ => new Case([1, 1, 1], [40, 40, 40], [50], ofFew))], leastCases: 5, "MR");

        var merged = SketchedFingerprint.Merge([few, most]);

        Assert.Equal(ofMost, merged.MedianShareKept(), 1e-12);
        Assert.Equal(expected, TrainingPlanner.Plan(merged, PlannerPresetName.Plain).Crop);
    }

    [Fact]
    public void Seal_FewerCasesThanTheThreshold_TellsNothing() =>
        Assert.Null(Builder(Cases(0, count: 4)).Seal(leastCases: 5));

    [Fact]
    public void Bytes_RoundTrip_AreIdentical()
    {
        var site = Seal(Cases(0, count: 20), leastCases: 2);

        Assert.Equal(site.ToBytes(), FingerprintFile.ReadSite(site.ToBytes()).ToBytes());
    }

    public static TheoryData<string, Func<SiteFingerprint, SiteFingerprint>> Impossible => new()
    {
        { "leastCases is 1", site => site with { LeastCases = 1 } },
        { "fewer than 5", site => site with { LeastCases = 5 } },
        { "not the agreed", site => site with { Intensity = site.Intensity with { Bins = SketchBins.ExtentMm } } },
        { "out of order", site => site with { Intensity = site.Intensity with { Filled = [.. site.Intensity.Filled.Reverse()] } } },
        { "impossible weight", site => site with { Intensity = site.Intensity with { Filled = [site.Intensity.Filled[0] with { Sum = double.NaN }] } } },
        { "more than all", site => site with { Cases = 2 } },
        { "weighs more", site => site with { SpacingMm = [Outweighing(site.SpacingMm[0]), .. site.SpacingMm[1..]] } },
        { "weighs more", site => site with { Intensity = site.Intensity with { SuppressedWeight = 1e9 } } },
        { "outside of it", site => site with { SpacingMm = [Shifted(site.SpacingMm[0], 100), .. site.SpacingMm[1..]] } },
        { "outside of it", site => site with { SpacingMm = [Shifted(site.SpacingMm[0], -100), .. site.SpacingMm[1..]] } },
        { "three axes", site => site with { Voxels = [] } },
        { "moments", site => site with { IntensityMoments = default } },
        { "modality", site => site with { Modality = "PT" } },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void Merge_ImpossibleFingerprint_IsRefused(string problem, Func<SiteFingerprint, SiteFingerprint> change)
    {
        var site = change(Seal(Cases(0, count: 20), leastCases: 2));

        Assert.Contains(problem, Assert.Throws<FingerprintException>(() => SketchedFingerprint.Merge([site])).Message);
    }

    [Fact]
    public void Merge_SitesOfOtherLabels_IsRefused()
    {
        var site = Seal(Cases(0, count: 20), leastCases: 2);

        Assert.Throws<FingerprintException>(() => SketchedFingerprint.Merge([site, site with { Labels = ["liver"] }]));
    }

    /// <summary>Its first bin a million times as heavy: the plan would be made of it alone.</summary>
    private static Sketch Outweighing(Sketch sketch) =>
        sketch with { Filled = [sketch.Filled[0] with { Weight = 1e6 * sketch.Filled[0].Weight, Sum = 1e6 * sketch.Filled[0].Sum }, .. sketch.Filled[1..]] };

    private static Sketch Shifted(Sketch sketch, double by) => sketch with { Filled = [.. sketch.Filled.Select(bin => bin with { Sum = bin.Sum + by * bin.Weight })] };

    private static Case[] Cases(int site, int count)
    {
        var random = new Random(site);
        return [.. Enumerable.Range(0, count).Select(_ => new Case(
            [1 + site + random.NextDouble(), 0.7 + 0.1 * random.NextDouble(), 0.7 + 0.1 * random.NextDouble()],
            [random.Next(80, 120), random.Next(380, 512), random.Next(380, 512)],
            [.. Enumerable.Range(0, 100).Select(_ => Math.Round(100 * site + 40 * (random.NextDouble() + random.NextDouble() + random.NextDouble())))]))];
    }

    private static ListedFingerprint Pool(IEnumerable<Case[]> sites)
    {
        var all = sites.SelectMany(cases => cases).ToArray();
        return new ListedFingerprint
        {
            Cases = all.Length,
            Classes = 2,
            Modality = "CT",
            Intensity = null,
            SpacingsMm = [.. all.Select(entry => entry.SpacingMm.ToImmutableArray())],
            Shapes = [.. all.Select(entry => entry.Shape.Select(extent => (double)extent).ToImmutableArray())],
        };
    }

    private static FingerprintBuilder Builder(Case[] cases, string modality = "CT")
    {
        var builder = new FingerprintBuilder(modality, Labels);
        foreach (var (i, entry) in cases.Index()) builder.Add(entry.Patient ?? $"p{i}", entry.SpacingMm, entry.Shape, entry.ShareKept, entry.Foreground);
        return builder;
    }

    private static SiteFingerprint Seal(Case[] cases, int leastCases, string modality = "CT") => Builder(cases, modality).Seal(leastCases)!;
}
