using System.Collections.Immutable;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.SecureAggregation.Masking;
using FedSeg.SecureAggregation.Tests.Protocol;
using FedSeg.Segmentation.Training;
using FedSeg.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FedSeg.RedTeam.Tests.Sites;

/// <summary>What the coordinator gets of an update, through the product's own code. An update here is all weights end to end.</summary>
internal static class Defences
{
    /// <summary>One step of patient-level privacy on one patient: clipped, noised, divided by the expected batch of 1.</summary>
    public static float[] PrivateStep(float[] update, double clippingNorm, double noiseMultiplier)
    {
        using var scope = NewDisposeScope();
        var weights = new NamedWeights("all", new Parameter(zeros(update.Length)));
        weights.Values.grad = tensor(update);
        var gradient = new PrivateGradient([weights], clippingNorm);
        gradient.AddPatient();
        gradient.Release(noiseMultiplier, expectedBatch: 1);
        return weights.Values.grad!.data<float>().ToArray();
    }

    /// <summary>What the gate writes where the policy's rounding is off and the job's encoding is <paramref name="encoding"/>.</summary>
    public static float[] Requantised(float[] update, ImmutableArray<int> tensorLengths, UpdateEncoding encoding)
    {
        using var folder = new TemporaryFolder();
        var manifest = new TensorManifest(tensorLengths.Select((length, i) => new TensorSpec($"w{i}", [length])));
        using (var writer = SafetensorsWriter.Create(folder["trained"], manifest))
        {
            writer.Write(update);
            writer.Complete();
        }

        using var source = SafetensorsFile.Open(folder["trained"]);
        var grid = new StochasticGrid(Requantisation.Off.AtLeast(encoding), new SeededGenerator());
        DeltaReencoder.Reencode(source, manifest, grid, null, encoding, folder["sealed"], null, TestContext.Current.CancellationToken);
        using var sent = UpdateFile.Open(folder["sealed"], manifest, encoding);
        var values = new float[update.Length];
        sent.Read(0, values);
        return values;
    }

    /// <summary>A masked update of a blind round of five, read as if it were none.</summary>
    public static float[] Masked(float[] update)
    {
        var spec = new BlindSpec { Sites = TestSum.ContextOf(5).Sites, MaximumCases = 10,
            GridExponent = BlindSpec.ExponentFor(update.Max(Math.Abs)) };
        float[] rounded = [.. update];
        new BlindGrid(spec, trainingCases: 10, new SeededGenerator()).Round(rounded);
        using var sum = new TestSum(5, update.Length);
        var site = spec.Sites[0];
        FixedGrid.ToWords(rounded, spec.GridExponent, sum.Plain[site] = new uint[update.Length]);
        sum.AdvertiseAll();
        sum.DealAll();
        sum.Mask(site);
        var step = Math.ScaleB(1, spec.GridExponent);
        return [.. sum.Masked[site].Select(word => (float)(Words24.ToLevel(word) * step))];
    }

    /// <summary>The plain mean of several sites' updates, as federated averaging makes it.</summary>
    public static float[] Mean(IReadOnlyList<float[]> updates) =>
        Merge(StrategyCatalog.Find("fedavg")!.Create(), updates, [.. updates.Select(_ => 1.0)]);

    /// <summary>What a strategy makes of a round's updates, as a change of the model.</summary>
    public static float[] Merge(AggregationSpec strategy, IReadOnlyList<float[]> updates, IReadOnlyList<double> cases,
        IReadOnlyList<double>? pastNorms = null)
    {
        var merged = new WeightsInMemory(updates[0].Length);
        var round = new AggregationRound
        {
            Number = 1,
            Base = new WeightsInMemory(updates[0].Length),
            PastNorms = pastNorms ?? [],
            Contributions = [.. updates.Select((update, i) => new Contribution
            {
                Site = SiteId.Parse($"site-{i:D3}"),
                Update = new WeightsInMemory([.. update.Select(value => (double)value)]),
                Weight = cases[i],
            })],
        };
        Aggregator.Run(strategy, round, new AggregationOutput(merged, ImmutableDictionary<StatePart, IWeightSink>.Empty),
            TestContext.Current.CancellationToken);
        var change = new float[merged.Length];
        for (var i = 0; i < change.Length; i++) change[i] = (float)merged.Values[i];
        return change;
    }
}
