using FedSeg.Testing;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Tests.Aggregation;

public sealed class AggregatorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Run_AnyOrderOfUpdates_GivesTheSameBytes()
    {
        float[] first = [0.1f, 1e-8f, 3e7f], second = [0.7f, 1f, -3e7f], third = [1e-3f, 1e8f, 1f];
        var forward = Average([0, 0, 0], (first, 3), (second, 5), (third, 7));
        var names = new[] { "c", "b", "a" };
        var shuffled = Average([0, 0, 0], names, (third, 7), (second, 5), (first, 3));

        Assert.Equal(forward, shuffled);
    }

    [Fact]
    public void Run_CaseCountFarAboveTheMedian_CountsUpToTheLimit()
    {
        var limited = SmallFederation.Spec("fedavg") with { WeightLimit = 3 };

        // The median of 10, 10, 20 and 10 000 is 15, so the last one counts 45: 45 / (10 + 10 + 20 + 45).
        var merged = new SmallFederation(limited, 0).Merge(([0], 10), ([0], 10), ([0], 20), ([1], 10_000));
        Assert.Equal(45.0 / 85, merged[0], 1e-12);

        // Within the limit nothing changes.
        Assert.Equal(20.0 / 40, new SmallFederation(limited, 0).Merge(([0], 10), ([0], 10), ([1], 20))[0], 1e-12);
    }

    [Fact]
    public void Run_MostSitesWithoutCases_IsRefused() => Assert.Throws<AggregationException>(() =>
        new SmallFederation(SmallFederation.Spec("fedavg") with { WeightLimit = 3 }, 0).Merge(([1], 0), ([1], 0), ([1], 7)));

    [Fact]
    public void Run_LargerThanAChunk_CoversEveryElement()
    {
        var delta = Enumerable.Range(0, 200_001).Select(i => (float)i).ToArray();

        Assert.Equal(delta, Average(new float[delta.Length], (delta, 1)));
    }

    [Theory]
    [InlineData("fedavg")]
    [InlineData("normbound")]
    [InlineData("median")]
    [InlineData("krum")]
    public void Run_ManySites_KeepsMemoryFlat(string strategy)
    {
        const int elements = 1 << 20;
        var update = Write("update", new float[elements]);
        var model = Write("model", new float[elements]);
        Allocated(2);
        var two = Allocated(2);
        var twenty = Allocated(20);

        // A site costs a file handle and a header, never its weights (4 MiB here); rules that hold updates side by side share 2 MiB among
        // them.
        Assert.InRange(twenty - two, -(4 << 20), 2 << 20);

        long Allocated(int sites)
        {
            var updates = Enumerable.Range(0, sites).Select(i => (Site: $"s{i}", update, Cases: 1)).ToArray();
            var before = GC.GetAllocatedBytesForCurrentThread();
            Merge(SmallFederation.Spec(strategy), model, elements, updates);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Run_EveryRuleOverFiles_AgreesWithTheRunInMemory()
    {
        const int elements = 70_003;
        var values = Enumerable.Range(0, 7).Select(site => Enumerable.Range(0, elements).Select(i => (float)Math.Sin(i * (site + 1.0))).ToArray()).ToArray();
        var model = Write("model", new float[elements]);
        foreach (var strategy in StrategyCatalog.All.Where(strategy => !strategy.NeedsLosses))
        {
            var spec = SmallFederation.Spec(strategy.Name);
            Merge(spec, model, elements, [.. values.Select((update, site) => (SmallFederation.SiteOf(site).ToString(), Write($"update-{site}", update), 1 + site))]);
            using var file = SafetensorsFile.Open(_folder["result"]);
            var inMemory = new SmallFederation(spec, new double[elements]).Merge([.. values.Select((update, site) => (update.Select(value => (double)value).ToArray(), 1.0 + site))]);

            Assert.Equal(inMemory.Select(value => (float)value), file.ReadAll("w"));
        }
    }

    [Fact]
    public void Open_UpdateOfAnotherShape_Throws() =>
        Assert.Throws<SafetensorsException>(() => StoredWeights.Open(Write("update", new float[3]), Manifest(4)));

    [Fact]
    public void Run_SiteTwice_Throws()
    {
        var path = Write("update", [1f]);

        Assert.Throws<ArgumentException>(() => Merge(SmallFederation.Spec("fedavg"), path, 1, ("a", path, 1), ("a", path, 1)));
    }

    [Fact]
    public void Run_NothingToMerge_IsRefused() =>
        Assert.Throws<AggregationException>(() => Merge(SmallFederation.Spec("fedavg"), Write("model", [1f]), 1));

    public void Dispose() => _folder.Dispose();

    private float[] Average(float[] model, params (float[] Delta, int Weight)[] updates) =>
        Average(model, [.. updates.Select((_, i) => ((char)('a' + i)).ToString())], updates);

    private float[] Average(float[] model, string[] sites, params (float[] Delta, int Weight)[] updates)
    {
        Merge(SmallFederation.Spec("fedavg"), Write("model", model), model.Length, [.. updates.Select((update, i) => (sites[i], Write("update-" + sites[i], update.Delta), update.Weight))]);
        using var file = SafetensorsFile.Open(_folder["result"]);
        return file.ReadAll("w");
    }

    /// <summary>Merges files into the file "result"; a strategy's state goes nowhere.</summary>
    private void Merge(AggregationSpec spec, string model, int elements, params (string Site, string Path, int Cases)[] updates)
    {
        var manifest = Manifest(elements);
        using var baseModel = StoredWeights.Open(model, manifest);
        var sources = updates.Select(update => StoredWeights.Open(update.Path, manifest)).ToList();
        using var writer = SafetensorsWriter.Create(_folder["result"], manifest);
        try
        {
            var contributions = updates.Zip(sources, (update, source) => new Contribution { Site = SiteId.Parse(update.Site), Update = source, Weight = update.Cases }).ToList();
            var state = spec.Step.StateParts.ToDictionary(part => part, _ => (IWeightSink)new WeightsInMemory(elements));
            Aggregator.Run(spec, new AggregationRound { Number = 1, Base = baseModel, Contributions = contributions }, new AggregationOutput(new StoredWeightsSink(writer), state), TestContext.Current.CancellationToken);
            writer.Complete();
        }
        finally
        {
            sources.ForEach(source => source.Dispose());
        }
    }

    private string Write(string name, float[] values)
    {
        var path = _folder[name];
        using var writer = SafetensorsWriter.Create(path, Manifest(values.Length));
        writer.Write(values);
        writer.Complete();
        return path;
    }

    private static TensorManifest Manifest(int elements) => new([new TensorSpec("w", [elements])]);
}
