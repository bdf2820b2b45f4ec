using FedSeg.Privacy.Noise;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// The gradient of one private step: clipped contributions of patients are added up, noise of σ C is added to the sum once, and the sum is divided by the expected
/// number of patients, whatever number came. Norms and sums are in double, on the host.
/// </summary>
internal sealed class PrivateGradient
{
    private readonly IReadOnlyList<NamedWeights> _weights;
    private readonly double _clippingNorm;
    private readonly float[] _contribution;
    private readonly double[] _sum;

    public PrivateGradient(IReadOnlyList<NamedWeights> weights, double clippingNorm)
    {
        _weights = weights;
        _clippingNorm = clippingNorm;
        _contribution = new float[weights.Sum(entry => entry.Values.numel())];
        _sum = new double[_contribution.Length];
    }

    /// <summary>The sum of the clipped contributions so far, before noise.</summary>
    internal ReadOnlySpan<double> Sum => _sum;

    /// <summary>Clips the gradients as they stand in the network and adds them; ones that are not finite count as none, so that no patient can stop a step.</summary>
    public void AddPatient()
    {
        var position = 0;
        foreach (var weights in _weights)
        {
            var length = (int)weights.Values.numel();
            Read(weights, _contribution.AsSpan(position, length));
            position += length;
        }

        if (!double.IsFinite(NormClipping.SquaredNorm(_contribution))) return;
        NormClipping.Clip(_contribution, _clippingNorm);
        for (var i = 0; i < _sum.Length; i++) _sum[i] += _contribution[i];
    }

    /// <summary>Puts the noised mean in place of the network's gradients and forgets the sum.</summary>
    public void Release(double noiseMultiplier, double expectedBatch)
    {
        for (var i = 0; i < _sum.Length; i++) _contribution[i] = (float)_sum[i];
        GaussianNoise.AddTo(_contribution, noiseMultiplier * _clippingNorm);
        for (var i = 0; i < _contribution.Length; i++) _contribution[i] = (float)(_contribution[i] / expectedBatch);
        Array.Clear(_sum);

        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        var position = 0;
        foreach (var weights in _weights)
        {
            var length = (int)weights.Values.numel();
            var mean = tensor(_contribution.AsSpan(position, length).ToArray(), weights.Values.shape).to(weights.Values.device);
            position += length;
            if (weights.Values.grad is { } gradient) gradient.copy_(mean);
            else weights.Values.grad = mean.DetachFromDisposeScope();
        }
    }

    private static void Read(NamedWeights weights, Span<float> destination)
    {
        if (weights.Values.grad is not { } gradient)
        {
            destination.Clear();
            return;
        }

        using var scope = NewDisposeScope();
        gradient.detach().cpu().contiguous().data<float>().CopyTo(destination);
    }
}
