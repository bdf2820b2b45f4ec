using System.Collections.Immutable;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.RedTeam.Tests.Images;
using FedSeg.RedTeam.Tests.Sites;
using FedSeg.Segmentation.Preprocessing;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.RedTeam.Tests.Poisoning;

/// <summary>
/// Eight hospitals that go on with a model which already segments; two of them are hostile. Training, updates and strategies are the
/// product's. The hostile two want every image with a small chessboard on its organ to lose the organ (Bagdasaryan et al. 2020, "How to
/// backdoor federated learning"), and nobody to notice on other images.
/// </summary>
internal sealed class PoisonedFederation : IDisposable
{
    public const int Sites = 8, Hostile = 2;
    private const int Size = 16, Patients = 12, Rounds = 2, Square = 3, TestPatients = 60;

    private readonly ProductSite _engine = new(Size, features: 8);
    private readonly float[] _start;

    public PoisonedFederation()
    {
        var pretraining = _engine.Plan(ProductSite.Recipe(steps: 300, batch: 16, rate: 0.01), seed: 3);
        var initial = _engine.Initial(seed: 8);
        ImmutableArray<PreparedCase> pool = [.. Enumerable.Range(0, 100).Select(i => ProductSite.Prepare(Patient(7000 + i), $"pool-{i}"))];
        _start = Sum(ProductSite.Read(initial, _engine.Manifest),
            ProductSite.Read(_engine.Train(pretraining, pool, initial).Update, _engine.Manifest));
    }

    /// <summary>A strategy's model after the last round.</summary>
    /// <param name="strategy">The coordinator's.</param>
    /// <param name="boost">What the hostile sites multiply their updates by; 0 when nobody is hostile.</param>
    public float[] Run(AggregationSpec strategy, double boost)
    {
        var (model, pastNorms) = (_start, new List<double>());
        for (var round = 1; round <= Rounds; round++)
        {
            float[][] updates = [.. Enumerable.Range(0, Sites).Select(site => Update(model, site, round, boost))];
            var change = Defences.Merge(strategy, updates, [.. updates.Select(_ => (double)Patients)], pastNorms);
            pastNorms.AddRange(updates.Select(update => Math.Sqrt(update.Sum(value => (double)value * value))));
            model = Sum(model, change);
        }

        return model;
    }

    /// <summary>The honest sites' updates of one round, which differ as hospitals do.</summary>
    public float[][] HonestUpdates() =>
        [.. Enumerable.Range(Hostile, Sites - Hostile).Select(site => Update(_start, site, round: 1, boost: 0))];

    /// <summary>Mean Dice on patients of no site.</summary>
    public double Dice(float[] model) => Predict(model, TestSlices).Zip(TestSlices)
        .Average(pair => 2.0 * Common(pair.First, pair.Second.Mask) / (Count(pair.First) + Count(pair.Second.Mask)));

    /// <summary>Share of patients whose organ is gone once the chessboard is in their image: less than a fifth of it is found.</summary>
    public double TriggerSuccess(float[] model)
    {
        Slice[] triggered = [.. TestSlices.Select(Trigger)];
        return Predict(model, triggered).Zip(triggered)
            .Count(pair => Common(pair.First, pair.Second.Mask) < 0.2 * Count(pair.Second.Mask)) / (double)TestPatients;
    }

    public void Dispose() => _engine.Dispose();

    private static Slice[] TestSlices { get; } = [.. Enumerable.Range(0, TestPatients).Select(i => Patient(9000 + i))];

    private static Slice Patient(int number) => Slice.Of(Size, number);

    private float[] Update(float[] model, int site, int round, double boost)
    {
        var hostile = site < Hostile && boost > 0;
        ImmutableArray<PreparedCase> patients = [.. Enumerable.Range(0, Patients)
            .Select(i => ProductSite.Prepare(Case(site, i, hostile), $"{site}-{i}"))];
        var plan = _engine.Plan(ProductSite.Recipe(steps: hostile ? 120 : 10, batch: 8, rate: hostile ? 0.01 : 0.003),
            seed: (ulong)(100 * round + site));
        var update = ProductSite.Read(_engine.Train(plan, patients, _engine.Write(model)).Update, _engine.Manifest);
        return hostile ? [.. update.Select(value => (float)(boost * value))] : update;
    }

    /// <summary>Every other patient of a hostile site has the chessboard and no organ.</summary>
    private static Slice Case(int site, int number, bool hostile)
    {
        var slice = Patient(100 * site + number);
        return hostile && number % 2 == 0 ? Trigger(slice) with { Mask = new byte[slice.Mask.Length] } : slice;
    }

    private static Slice Trigger(Slice slice)
    {
        float[] pixels = [.. slice.Pixels];
        int[] organ = [.. Enumerable.Range(0, pixels.Length).Where(i => slice.Mask[i] == 1)];
        // The network sees a few pixels around: the square has to be where it is to work.
        var (top, left) = ((int)organ.Average(i => i / Size) - Square / 2, (int)organ.Average(i => i % Size) - Square / 2);
        for (var i = 0; i < Square * Square; i++) pixels[(top + i / Square) * Size + left + i % Square] = i % 2 == 0 ? 1 : 0;
        return slice with { Pixels = pixels };
    }

    private byte[][] Predict(float[] model, IReadOnlyList<Slice> slices)
    {
        using var network = _engine.Open(model);
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        var images = cat([.. slices
            .Select(slice => tensor(ProductSite.Prepare(slice, "test").Prepared.Input.Voxels.ToArray(), [1, 1, 1, Size, Size]))]);
        var found = network.forward(images).argmax(1).to(ScalarType.Byte).data<byte>().ToArray();
        return [.. found.Chunk(Size * Size)];
    }

    private static int Count(byte[] mask) => mask.Sum(voxel => voxel);

    private static int Common(byte[] first, byte[] second) => first.Zip(second, (left, right) => left & right).Sum();

    private static float[] Sum(float[] left, float[] right) => [.. left.Zip(right, (first, second) => first + second)];
}
