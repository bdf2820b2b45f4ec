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
    private readonly IReadOnlyList<TorchSharp.Modules.Parameter> _parameters;

    private WeightOptimizer(IEnumerable<TorchSharp.Modules.Parameter> parameters) => _parameters = [.. parameters];

    /// <summary>The recipe's optimiser, without history.</summary>
    public static WeightOptimizer Create(TrainingRecipe recipe, IEnumerable<TorchSharp.Modules.Parameter> parameters) => recipe.Optimizer switch
    {
        OptimizerKind.Sgd => new NesterovSgd(parameters, recipe.WeightDecay),
        OptimizerKind.AdamW => new AdamW(parameters, recipe.WeightDecay),
        _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe.Optimizer, "There is no such optimiser."),
    };

    /// <summary>Forgets the gradients of the last step.</summary>
    public void ZeroGradients()
    {
        foreach (var parameter in _parameters) parameter.grad?.zero_();
    }

    /// <summary>Moves the weights along their gradients.</summary>
    public abstract void Step(double learningRate);

    public abstract void Dispose();

    /// <summary>A zero tensor per weight that outlives the step's dispose scope.</summary>
    private Tensor[] History() => [.. _parameters.Select(parameter => zeros_like(parameter, requires_grad: false).DetachFromDisposeScope())];

    private IEnumerable<(TorchSharp.Modules.Parameter Weights, Tensor Gradient, int Index)> WithGradients()
    {
        for (var i = 0; i < _parameters.Count; i++)
        {
            if (_parameters[i].grad is { } gradient) yield return (_parameters[i], gradient, i);
        }
    }

    private static void Dispose(Tensor[] history)
    {
        foreach (var tensor in history) tensor.Dispose();
    }

    /// <summary>Adam with decoupled weight decay; betas 0.9 and 0.999, epsilon 1e-8 (Loshchilov and Hutter 2019, algorithm 2).</summary>
    private sealed class AdamW : WeightOptimizer
    {
        private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8;
        private readonly double _weightDecay;
        private readonly Tensor[] _first;
        private readonly Tensor[] _second;
        private int _steps;

        public AdamW(IEnumerable<TorchSharp.Modules.Parameter> parameters, double weightDecay)
            : base(parameters)
        {
            _weightDecay = weightDecay;
            _first = History();
            _second = History();
        }

        public override void Step(double learningRate)
        {
            _steps++;
            using var withoutGradient = no_grad();
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
                weights.addcdiv_(_first[i], _second[i].sqrt().div_(bias2).add_(epsilon), stride);
            }
        }

        public override void Dispose()
        {
            Dispose(_first);
            Dispose(_second);
        }
    }

    /// <summary>Stochastic gradient descent with Nesterov momentum 0.99 and L2 weight decay (Sutskever et al. 2013, in PyTorch's form).</summary>
    private sealed class NesterovSgd(IEnumerable<TorchSharp.Modules.Parameter> parameters, double weightDecay) : WeightOptimizer(parameters)
    {
        private const double Momentum = 0.99;
        private Tensor[]? _velocity;

        public override void Step(double learningRate)
        {
            using var withoutGradient = no_grad();
            using Scalar decay = weightDecay;
            using Scalar momentum = Momentum;
            using Scalar stride = -learningRate;
            // From zero, the first velocity is the gradient itself, as PyTorch has it.
            _velocity ??= History();
            foreach (var (weights, gradient, i) in WithGradients())
            {
                var slope = gradient.add(weights, decay);
                _velocity[i].mul_(momentum).add_(slope, LastingScalars.One);
                weights.add_(slope.add_(_velocity[i], momentum), stride);
            }
        }

        public override void Dispose() => Dispose(_velocity ?? []);
    }
}
