using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Aggregation.Rules;
using FedSeg.Federation.Aggregation.Steps;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Training;
using FedSeg.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

/// <summary>
/// Two sites with fᵢ(w) = aᵢ/2 (w − bᵢ)², gradient descent without noise: every algorithm's limit is known in closed form. a = 1 and 4, b = 0 and 1, equal weights, so
/// the federation's optimum is Σ aᵢ bᵢ / Σ aᵢ = 0.8.
/// </summary>
public sealed class ConvexProblemTests
{
    private const double Rate = 0.1;
    private static readonly double[] A = [1, 4], B = [0, 1];

    /// <summary>A site's weight after so many steps of plain gradient descent with a term.</summary>
    private static double Descend(
        int site, double start, int steps, Func<NamedWeights, IGradientTerm?> termOf, Action<IGradientTerm>? then = null, Func<int, double>? rateAt = null)
    {
        using var scope = NewDisposeScope();
        var weights = new NamedWeights("w", new Parameter(tensor([(float)start])));
        using var term = termOf(weights);
        for (var step = 0; step < steps; step++)
        {
            weights.Values.grad?.zero_();
            ((weights.Values - B[site]).pow(2).sum() * (A[site] / 2)).backward();
            term?.Add();
            using (no_grad()) weights.Values.add_(weights.Values.grad!, -(rateAt?.Invoke(step) ?? Rate));
        }

        if (term is not null) then?.Invoke(term);
        return weights.Values.item<float>();
    }

    private static double Merge(CombineRule rule, double model, double[] trained, int[]? steps = null)
    {
        var next = new WeightsInMemory(1);
        var round = new AggregationRound
        {
            Number = 1,
            Base = new WeightsInMemory([model]),
            Contributions = [.. trained.Select((value, i) => new Contribution
            {
                Site = SiteId.Parse($"site-{i}"), Update = new WeightsInMemory([value - model]), Weight = 1, Steps = steps?[i] ?? 1,
            })],
        };
        Aggregator.Run(new AggregationSpec { Rule = rule, Step = new PlainStep(1) }, round, new AggregationOutput(next, new Dictionary<StatePart, IWeightSink>()), TestContext.Current.CancellationToken);
        return next.Values[0];
    }

    private static double Federate(Func<int, double, double> site, CombineRule? rule = null, int[]? steps = null)
    {
        var model = 5.0;
        for (var round = 0; round < 200; round++) model = Merge(rule ?? new WeightedMean(), model, [site(0, model), site(1, model)], steps);
        return model;
    }

    /// <summary>The limit of w ← mean of (bᵢ + ρᵢ (w − bᵢ)), ρᵢ what a site's distance shrinks by in its steps.</summary>
    private static double Limit(params double[] shrinkage) =>
        Enumerable.Range(0, 2).Sum(i => (1 - shrinkage[i]) * B[i]) / Enumerable.Range(0, 2).Sum(i => 1 - shrinkage[i]);

    [Fact]
    public void FedAvg_ManyLocalSteps_DriftsToItsKnownLimit()
    {
        var limit = Limit(Math.Pow(1 - Rate * A[0], 10), Math.Pow(1 - Rate * A[1], 10));
        Assert.Equal(0.605, limit, 1e-2); // far from the optimum 0.8
        Assert.Equal(limit, Federate((site, model) => Descend(site, model, 10, _ => null)), 1e-4);
    }

    [Fact]
    public void FedProx_SolvedLocally_IsTheProximalPoint()
    {
        // argmin a/2 (w − b)² + µ/2 (w − model)² = (a b + µ model) / (a + µ)
        const double mu = 2, model = 3;
        var solved = Descend(1, model, 200, weights => new ProximalTerm(mu, [(weights, weights.Copy())]));
        Assert.Equal((A[1] * B[1] + mu * model) / (A[1] + mu), solved, 1e-5);
    }

    [Fact]
    public void FedProx_ManyLocalSteps_EndsNearerToTheOptimumThanFedAvg()
    {
        // With exact local solutions the drift is wᵢ − w = aᵢ (bᵢ − w) / (aᵢ + µ), so the limit is Σ aᵢ bᵢ / (aᵢ + µ) over Σ aᵢ / (aᵢ + µ).
        const double mu = 3;
        var limit = A[1] / (A[1] + mu) / (A[0] / (A[0] + mu) + A[1] / (A[1] + mu));
        var found = Federate((site, model) => Descend(site, model, 60, weights => new ProximalTerm(mu, [(weights, weights.Copy())])));
        Assert.Equal(limit, found, 1e-4);
        Assert.True(Math.Abs(found - 0.8) < Math.Abs(Federate((site, model) => Descend(site, model, 60, _ => null)) - 0.8) / 2);
    }

    [Fact]
    public void Scaffold_ManyLocalSteps_FindsTheOptimum()
    {
        const int steps = 10;
        double server = 0;
        double[] own = [0, 0];
        var model = 5.0;
        for (var round = 0; round < 200; round++)
        {
            var (trained, changes) = (new double[2], new double[2]);
            for (var site = 0; site < 2; site++)
            {
                var correction = (float)(server - own[site]);
                trained[site] = Descend(site, model, steps, weights => new ControlVariateTerm([weights], [tensor([correction]).DetachFromDisposeScope()]), term =>
                {
                    using var next = ((ControlVariateTerm)term).MeanGradients(steps)[0];
                    changes[site] = next.item<float>() - own[site];
                });
            }

            model = Merge(new WeightedMean(), model, trained);
            var advanced = new WeightsInMemory(1);
            Contribution[] contributions = [.. changes.Select((change, i) => new Contribution { Site = SiteId.Parse($"site-{i}"), Update = new WeightsInMemory([change]), Weight = 1 })];
            ScaffoldControl.Update(new WeightsInMemory([server]), contributions, 2, advanced, TestContext.Current.CancellationToken);
            server = advanced.Values[0];
            for (var site = 0; site < 2; site++) own[site] += changes[site];
        }

        Assert.Equal(0.8, model, 1e-4);
        Assert.Equal(0, server, 1e-4); // the mean gradient at the optimum
    }

    [Fact]
    public void ControlVariate_PlainDescent_IsThePapersSecondOption()
    {
        // c⁺ = cᵢ − c + (x − y) / (K η)
        const double own = 0.3, server = -0.2, model = 2;
        double next = 0;
        var trained = Descend(1, model, 7, weights => new ControlVariateTerm([weights], [tensor([(float)(server - own)]).DetachFromDisposeScope()]), term =>
        {
            using var mean = ((ControlVariateTerm)term).MeanGradients(7)[0];
            next = mean.item<float>();
        });
        Assert.Equal(own - server + (model - trained) / (7 * Rate), next, 1e-5);
    }

    [Fact]
    public void FedNova_UnequalSteps_DividesThemOut()
    {
        // As much curvature everywhere, so that only the steps differ: FedAvg leans to the site with more of them, FedNova hardly does.
        const double rate = 0.01;
        int[] steps = [2, 20];
        double[] shrinkage = [Math.Pow(1 - rate, steps[0]), Math.Pow(1 - rate, steps[1])];
        double Site(int site, double model) => B[site] + shrinkage[site] * (model - B[site]);

        double[] share = [(1 - shrinkage[0]) / steps[0], (1 - shrinkage[1]) / steps[1]];
        Assert.Equal(Limit(shrinkage), Federate(Site), 1e-6);
        Assert.Equal(0.9, Limit(shrinkage), 0.01);
        Assert.Equal(share[1] / (share[0] + share[1]), Federate(Site, new NormalizedMean(), steps), 1e-6);
        Assert.Equal(0.5, share[1] / (share[0] + share[1]), 0.03);
    }

    [Fact]
    public void Ditto_PersonalModel_LiesBetweenItsOwnOptimumAndTheGlobalModel()
    {
        // v = (a b + λ w) / (a + λ)
        const double lambda = 1, global = 0.6;
        for (var site = 0; site < 2; site++)
        {
            var own = site;
            var personal = Descend(own, start: 5, 300, weights => new ProximalTerm(lambda, [(weights, tensor([(float)global]).DetachFromDisposeScope())]));
            Assert.Equal((A[own] * B[own] + lambda * global) / (A[own] + lambda), personal, 1e-4);
        }
    }

    [Fact]
    public void LocalNormalisation_SharedWeightAndOneOfTheSitesOwn_EverySiteReachesItsOptimum()
    {
        // fᵢ(w, sᵢ) = aᵢ/2 (w + sᵢ − bᵢ)². Local steps move w and sᵢ alike and the merge takes the mean, so w − mean s stays what it was, 5; at both optima w + mean s = mean b.
        using var folder = new TemporaryFolder();
        var rules = new TensorRules { KeepLocal = [TensorGroup.Normalisation] };
        var (model, own) = (5.0, new double[2]);
        double Site(int site, int round)
        {
            using var network = new NamedModules([("head", new OneWeight(model)), ("encoder", new NamedModules([("norm", new OneWeight(0))]))]);
            var state = new SiteState(folder[$"site-{site}"], round);
            KeptTensors.Load(network, rules, state);
            var (shared, kept) = (NamedWeights.Of(network)[0].Values, NamedWeights.Of(network)[1].Values);
            DescendTogether([shared, kept], () => (shared + kept - B[site]).pow(2).sum() * (A[site] / 2), steps: 10, Rate);
            KeptTensors.Save(network, rules, state);
            state.Complete();
            own[site] = kept.item<float>();
            return shared.item<float>();
        }

        for (var round = 1; round <= 30; round++) model = Merge(new WeightedMean(), model, [Site(0, round), Site(1, round)]);

        var shared = (5 + B.Average()) / 2;
        Assert.Equal(shared, model, 1e-4);
        Assert.Equal([B[0] - shared, B[1] - shared], own, (expected, found) => Math.Abs(expected - found) < 1e-4);
    }

    [Fact]
    public void FineTuning_FallingRate_GoesTheKnownPartOfTheWayToTheSitesOwnOptimum()
    {
        // A step leaves 1 − a η of the distance, η = 0.1 (1 − t/T)^0.9.
        const double global = 3;
        const int steps = 12;
        var schedule = TrainingSchedule.FineTuning(Plans.Round(round: 4, recipe: Plans.Recipe(learningRate: 1) with { FineTuneSteps = steps }));
        double RateAt(int step) => PolyDecay.At(schedule.Recipe.LearningRate, schedule.FirstStep + step, schedule.TotalSteps);
        for (var site = 0; site < 2; site++)
        {
            var a = A[site];
            var left = Enumerable.Range(0, steps).Aggregate(1.0, (share, t) => share * (1 - a * 0.1 * Math.Pow(1 - t / (double)steps, 0.9)));
            Assert.Equal(B[site] + left * (global - B[site]), Descend(site, global, schedule.Steps, _ => null, rateAt: RateAt), 1e-5);
        }
    }

    [Fact]
    public void MaskedLoss_SitesThatDrawOneLabelEach_FindTheProbabilitiesOfAFullyDrawnSite()
    {
        // Ten voxels that look alike, three of class 1 and two of class 2: the network is the logits of one voxel. A site's masked loss depends on the probability of its own
        // class alone, so both sites are at rest where a site that draws both would be, in any number of local steps; unmasked, each calls the other's class background.
        double[] counts = [5, 3, 2];
        var masked = FederateLogits(counts, isMasked: true);
        Assert.Equal(MostLikely(0.3), masked[1], 1e-4);
        Assert.Equal(MostLikely(0.2), masked[2], 1e-4);
        Assert.True(FederateLogits(counts, isMasked: false)[2] < masked[2] - 0.05);
    }

    /// <summary>Where −π ln p − (1 − π) ln(1 − p) − 2 π p / (π + p), cross-entropy and Dice of a class of frequency π, is least: its slope, which rises, is 0.</summary>
    private static double MostLikely(double frequency)
    {
        double Slope(double p) => -frequency / p + (1 - frequency) / (1 - p) - 2 * frequency * frequency / Math.Pow(frequency + p, 2);
        var (low, high) = (0.0, 1.0);
        for (var i = 0; i < 50; i++) (low, high) = Slope((low + high) / 2) < 0 ? ((low + high) / 2, high) : (low, (low + high) / 2);
        return low;
    }

    /// <summary>Probabilities of the classes after federated averaging of the logits that all voxels share; site 0 draws class 1 only, site 1 class 2 only.</summary>
    private static double[] FederateLogits(double[] counts, bool isMasked)
    {
        using var scope = NewDisposeScope();
        long[] truth = [.. counts.SelectMany((count, label) => Enumerable.Repeat((long)label, (int)count))];
        double[] model = [0, 0, 0];
        for (var round = 0; round < 200; round++)
        {
            double[][] trained = [.. Enumerable.Range(1, 2).Select(own =>
            {
                var logits = new Parameter(tensor(model, dtype: ScalarType.Float32));
                var target = tensor([.. truth.Select(label => label == own ? label : 0)], [1, 1, 1, truth.Length]);
                var drawn = isMasked ? tensor([1f, own == 1 ? 1f : 0f, own == 2 ? 1f : 0f]).view(1, 3) : null;
                DescendTogether([logits], () => SegmentationLoss.Of(logits.view(1, 3, 1, 1, 1).expand(1, 3, 1, 1, truth.Length), target, drawn: drawn), steps: 5, rate: 0.5);
                return logits.data<float>().Select(value => (double)value).ToArray();
            })];
            model = [.. model.Select((value, i) => Merge(new WeightedMean(), value, [.. trained.Select(site => site[i])]))];
        }

        var total = model.Sum(Math.Exp);
        return [.. model.Select(logit => Math.Exp(logit) / total)];
    }

    /// <summary>Gradient descent on a site's loss.</summary>
    private static void DescendTogether(Parameter[] weights, Func<Tensor> loss, int steps, double rate)
    {
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            foreach (var values in weights) values.grad?.zero_();
            loss().backward();
            using var withoutGradient = no_grad();
            foreach (var values in weights) values.add_(values.grad!, -rate);
        }
    }

    private sealed class OneWeight : nn.Module
    {
        public OneWeight(double value)
            : base("weight") => register_parameter("weight", new Parameter(tensor([(float)value])));
    }
}
