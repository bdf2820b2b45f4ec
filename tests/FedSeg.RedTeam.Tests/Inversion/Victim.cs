using FedSeg.RedTeam.Tests.Images;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FedSeg.RedTeam.Tests.Inversion;

/// <summary>
/// A site that makes one step on one image, and all that its attacker knows: network, weights and label. Its secret is the image.
/// </summary>
/// <param name="network">Its weights are in double precision: the attack is to fail by the defence, not by rounding.</param>
/// <param name="size">Pixels along an image's edge.</param>
/// <param name="loss">Loss of an image <c>[1, 1, size, size]</c>; a scalar.</param>
internal sealed class Victim(nn.Module<Tensor, Tensor> network, int size, Func<nn.Module<Tensor, Tensor>, Tensor, Tensor> loss)
    : IDisposable
{
    private readonly Parameter[] _weights = [.. network.parameters()];

    public int Size => size;

    public IReadOnlyList<Parameter> Weights => _weights;

    public nn.Module<Tensor, Tensor> Network => network;

    /// <summary>The gradient of every weight for an image.</summary>
    /// <param name="image"><c>[1, 1, size, size]</c>.</param>
    /// <param name="further">Whether the gradient itself can be differentiated: what an attacker needs.</param>
    public IList<Tensor> Gradients(Tensor image, bool further) =>
        autograd.grad([loss(network, image)], _weights, retain_graph: further, create_graph: further);

    /// <summary>What a site without any defence sends for an image: the gradient, all weights end to end.</summary>
    public float[] Update(float[] pixels)
    {
        using var scope = NewDisposeScope();
        return [.. Gradients(ToImage(pixels), further: false).SelectMany(gradient =>
            gradient.to(ScalarType.Float32).data<float>().ToArray())];
    }

    /// <summary>The observed update cut into the weights' shapes, double; in the caller's dispose scope.</summary>
    public Tensor[] Cut(float[] update)
    {
        var (parts, start) = (new Tensor[_weights.Length], 0);
        for (var i = 0; i < parts.Length; i++)
        {
            var length = (int)_weights[i].numel();
            parts[i] = tensor(update.AsSpan(start, length).ToArray(), _weights[i].shape).to(ScalarType.Float64);
            start += length;
        }

        return parts;
    }

    public Tensor ToImage(float[] pixels) => tensor(pixels, [1, 1, size, size]).to(ScalarType.Float64);

    /// <summary>A LeNet that classifies; the attacker knows the class.</summary>
    public static Victim Classifier(int label)
    {
        var target = tensor([(long)label]);
        return new Victim(new LeNet(seed: 3), 32, (network, image) => nn.functional.cross_entropy(network.forward(image), target));
    }

    /// <summary>A U-Net that segments; the attacker knows the mask.</summary>
    public static Victim Segmenter(Slice patient)
    {
        var target = tensor(patient.Mask, [1, patient.Size, patient.Size]).to(ScalarType.Int64);
        return new Victim(new TinyUNet(seed: 5), patient.Size, (network, image) =>
            nn.functional.cross_entropy(network.forward(image), target));
    }

    /// <summary>The product's own network and loss; the attacker knows the mask.</summary>
    /// <param name="network">As a round starts with it; becomes this object's.</param>
    /// <param name="patient">Whose slice.</param>
    public static Victim Product(UNet network, Slice patient)
    {
        var target = tensor(patient.Mask, [1, 1, patient.Size, patient.Size]).to(ScalarType.Int64);
        return new Victim(
            network.to(ScalarType.Float64), patient.Size, (module, image) =>
                DeepSupervision.Loss(((UNet)module).Outputs(image.unsqueeze(2)), target));
    }

    public void Dispose() => network.Dispose();
}
