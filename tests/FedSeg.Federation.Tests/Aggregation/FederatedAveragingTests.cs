using FedSeg.Testing;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Tests.Aggregation;

public sealed class FederatedAveragingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Aggregate_GoldenRounds_MatchTheReference()
    {
        // shared/reference/federation.md, common input: client values are absolute, n = 10, 30, 60; FedAvg rounds 1 to 3.
        double[][][] rounds =
        [
            [[1.2, -1.5, .5, .3], [.8, -2.5, 1, -.1], [2, -2, 0, .2]],
            [[1.5, -1, .4, .5], [.9, -2.2, .8, 0], [1.8, -1.9, .2, .1]],
            [[1.4, -.5, .6, .4], [1.1, -2.1, .7, .2], [1.6, -1.7, .1, 0]],
        ];
        double[][] expected = [[1.56, -2.1, .35, .12], [1.5, -1.9, .4, .11], [1.43, -1.7, .33, .1]];
        float[] model = [1, -2, .5f, 0];
        for (var round = 0; round < rounds.Length; round++)
        {
            var start = model;
            var deltas = rounds[round].Select(client => client.Select((value, i) => (float)(value - start[i])).ToArray()).ToArray();
            model = Average(model, (deltas[0], 10), (deltas[1], 30), (deltas[2], 60));
            // Values and deltas are float32: 1e-6 is their rounding.
            Assert.All(model.Zip(expected[round]), pair => Assert.Equal(pair.Second, pair.First, 1e-6));
        }
    }

    [Fact]
    public void Aggregate_AnyOrderOfUpdates_GivesTheSameBytes()
    {
        float[] first = [0.1f, 1e-8f, 3e7f], second = [0.7f, 1f, -3e7f], third = [1e-3f, 1e8f, 1f];
        var forward = Average([0, 0, 0], (first, 3), (second, 5), (third, 7));
        var names = new[] { "c", "b", "a" };
        var shuffled = Average([0, 0, 0], names, (third, 7), (second, 5), (first, 3));

        Assert.Equal(forward, shuffled);
    }

    [Fact]
    public void Aggregate_LargerThanAChunk_CoversEveryElement()
    {
        var delta = Enumerable.Range(0, 200_001).Select(i => (float)i).ToArray();

        Assert.Equal(delta, Average(new float[delta.Length], (delta, 1)));
    }

    [Fact]
    public void Aggregate_ManySites_KeepsMemoryFlat()
    {
        const int elements = 1 << 20;
        var update = Write("update", new float[elements]);
        var model = Write("model", new float[elements]);
        var two = Allocated(2);
        var twenty = Allocated(20);

        // A site costs a file handle and a header, never its weights (4 MiB here).
        Assert.InRange(twenty - two, 0, 1 << 20);

        long Allocated(int sites)
        {
            var updates = Enumerable.Range(0, sites).Select(i => new WeightedUpdate(SiteId.Parse($"s{i}"), update, 1)).ToList();
            var before = GC.GetAllocatedBytesForCurrentThread();
            FederatedAveraging.Aggregate(model, updates, Manifest(elements), _folder["result"], new Dictionary<string, string>(), TestContext.Current.CancellationToken);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Aggregate_UpdateOfAnotherShape_Throws()
    {
        var update = new WeightedUpdate(SiteId.Parse("a"), Write("update", new float[3]), 1);

        Assert.Throws<SafetensorsException>(() => FederatedAveraging.Aggregate(
            Write("model", new float[4]), [update], Manifest(4), _folder["result"], new Dictionary<string, string>(), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Aggregate_SiteTwiceOrWithoutCases_Throws()
    {
        var path = Write("update", [1f]);
        var site = SiteId.Parse("a");

        Assert.Throws<ArgumentException>(() => Run([new WeightedUpdate(site, path, 1), new WeightedUpdate(site, path, 1)]));
        Assert.Throws<ArgumentException>(() => Run([new WeightedUpdate(site, path, 0)]));
        Assert.Throws<ArgumentException>(() => Run([]));

        void Run(WeightedUpdate[] updates) =>
            FederatedAveraging.Aggregate(path, updates, Manifest(1), _folder["result"], new Dictionary<string, string>(), TestContext.Current.CancellationToken);
    }

    public void Dispose() => _folder.Dispose();

    private float[] Average(float[] model, params (float[] Delta, int Weight)[] updates) =>
        Average(model, [.. updates.Select((_, i) => ((char)('a' + i)).ToString())], updates);

    private float[] Average(float[] model, string[] sites, params (float[] Delta, int Weight)[] updates)
    {
        var weighted = updates.Select((update, i) => new WeightedUpdate(SiteId.Parse(sites[i]), Write("update-" + sites[i], update.Delta), update.Weight)).ToList();
        FederatedAveraging.Aggregate(Write("model", model), weighted, Manifest(model.Length), _folder["result"], new Dictionary<string, string>(), TestContext.Current.CancellationToken);
        using var file = SafetensorsFile.Open(_folder["result"]);
        return file.ReadAll("w");
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
