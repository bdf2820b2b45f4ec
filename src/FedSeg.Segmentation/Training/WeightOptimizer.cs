using System.Globalization;
using FedSeg.Federation.Rounds;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// The recipe's optimisers. Written here instead of taken from TorchSharp because its own make a passing scalar for each operation on each weight (see
/// <see cref="LastingScalars"/>); these make each number's scalar once a step and keep it to the step's end. The mathematics is PyTorch's, and tests hold it to TorchSharp's numbers.
/// </summary>
internal abstract class WeightOptimizer : IDisposable
{
    private const string StepsKey = "optimizerSteps";

    private readonly IReadOnlyList<NamedWeights> _weights;
    private readonly List<(string Name, Tensor Values)> _history = [];
    private long _steps;

    private WeightOptimizer(IReadOnlyList<NamedWeights> weights) => _weights = weights;

    /// <summary>The recipe's optimiser, without history.</summary>
    public static WeightOptimizer Create(TrainingRecipe recipe, IReadOnlyList<NamedWeights> weights) => recipe.Optimizer switch
    {
        OptimizerKind.Sgd => new NesterovSgd(weights, recipe.WeightDecay),
        OptimizerKind.AdamW => new AdamW(weights, recipe.WeightDecay),
        _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe.Optimizer, "There is no such optimiser."),
    };

    /// <summary>Momentum or moments, by name, as they stand.</summary>
    public IReadOnlyList<(string Name, Tensor Values)> History => _history;

    /// <summary>What belongs to <see cref="History"/> and is no tensor.</summary>
    public IReadOnlyDictionary<string, string> Facts => new Dictionary<string, string> { [StepsKey] = _steps.ToString(CultureInfo.InvariantCulture) };

    /// <summary>Takes back <see cref="Facts"/> once <see cref="History"/> is filled.</summary>
    public void Recall(IReadOnlyDictionary<string, string> facts) => _steps = long.Parse(facts[StepsKey], CultureInfo.InvariantCulture);

    /// <summary>Forgets the gradients of the last step.</summary>
    public void ZeroGradients()
    {
        foreach (var weights in _weights) weights.Values.grad?.zero_();
    }

    /// <summary>Moves the weights along their gradients.</summary>
    public void Step(double learningRate)
    {
        _steps++;
        using var withoutGradient = no_grad();
        Move(learningRate);
    }

    public void Dispose()
    {
        foreach (var (_, values) in _history) values.Dispose();
    }

    private protected abstract void Move(double learningRate);

    /// <summary>A zero tensor per weight that outlives the step's dispose scope.</summary>
    private Tensor[] Remember(string what)
    {
        Tensor[] values = [.. _weights.Select(weights => weights.Zeros())];
        _history.AddRange(_weights.Select((weights, i) => ($"{what}.{weights.Name}", values[i])));
        return values;
    }

    private IEnumerable<(Tensor Weights, Tensor Gradient, int Index)> WithGradients()
    {
        for (var i = 0; i < _weights.Count; i++)
        {
            if (_weights[i].Values.grad is { } gradient) yield return (_weights[i].Values, gradient, i);
        }
    }

    /// <summary>Adam with decoupled weight decay; betas 0.9 and 0.999, epsilon 1e-8 (Loshchilov and Hutter 2019, algorithm 2).</summary>
    private sealed class AdamW : WeightOptimizer
    {
        private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8;
        private readonly double _weightDecay;
        private readonly Tensor[] _first;
        private readonly Tensor[] _second;

        public AdamW(IReadOnlyList<NamedWeights> weights, double weightDecay)
            : base(weights)
        {
            _weightDecay = weightDecay;
            _first = Remember("first");
            _second = Remember("second");
        }

        private protected override void Move(double learningRate)
        {
            using Scalar shrink = 1 - learningRate * _weightDecay;
            using Scalar beta1 = Beta1;
            using Scalar beta2 = Beta2;
            using Scalar fresh1 = 1 - Beta1;
            using Scalar fresh2 = 1 - Beta2;
            using Scalar bias2 = Math.Sqrt(1 - Math.Pow(Beta2, _steps));
            using Scalar epsilon = Epsilon;
            using Scalar stride = -learningRate / (1 - Math.Pow(Beta1, _steps));
            foreach (var (weights, gradient, i) in WithGradients())
            {
                weights.mul_(shrink);
                _first[i].mul_(beta1).add_(gradient, fresh1);
                _second[i].mul_(beta2).addcmul_(gradient, gradient, fresh2);
                weights.addcdiv_(_first[i], _second[i].sqrt().div_(bias2).add_(epsilon, LastingScalars.One), stride);
            }
        }
    }

    /// <summary>Stochastic gradient descent with Nesterov momentum 0.99 and L2 weight decay (Sutskever et al. 2013, in PyTorch's form).</summary>
    private sealed class NesterovSgd : WeightOptimizer
    {
        private const double Momentum = 0.99;
        private readonly double _weightDecay;
        private readonly Tensor[] _velocity;

        public NesterovSgd(IReadOnlyList<NamedWeights> weights, double weightDecay)
            : base(weights)
        {
            _weightDecay = weightDecay;
            // From zero, the first velocity is the gradient itself, as PyTorch has it.
            _velocity = Remember("velocity");
        }

        private protected override void Move(double learningRate)
        {
            using Scalar decay = _weightDecay;
            using Scalar momentum = Momentum;
            using Scalar stride = -learningRate;
            foreach (var (weights, gradient, i) in WithGradients())
            {
                var slope = gradient.add(weights, decay);
                _velocity[i].mul_(momentum).add_(slope, LastingScalars.One);
                weights.add_(slope.add_(_velocity[i], momentum), stride);
            }
        }
    }
}
