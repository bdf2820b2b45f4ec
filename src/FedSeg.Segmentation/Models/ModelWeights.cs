using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Networks;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Models;

/// <summary>Carries weights between safetensors files and networks, one tensor at a time, in the manifest's order.</summary>
public static class ModelWeights
{
    /// <summary>The network of an architecture with the weights of a file, on a device. The caller disposes it.</summary>
    /// <exception cref="SafetensorsException">As <see cref="Load"/>.</exception>
    public static UNet Open(string path, ArchitectureSpec architecture, Device device)
    {
        var network = NetworkFactory.Create(architecture);
        try
        {
            Load(path, ArchitectureCatalog.Manifest(architecture), network);
            return network.to(device);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Fills a network from a file that holds exactly the manifest's tensors.</summary>
    /// <exception cref="SafetensorsException">The file is malformed, or a tensor is missing, extra, misplaced, misshapen or not finite.</exception>
    public static void Load(string path, TensorManifest manifest, Module<Tensor, Tensor> network)
    {
        using var file = SafetensorsFile.Open(path);
        if (manifest.FirstDifference(file.Tensors) is { } difference) throw new SafetensorsException($"the model is not the plan's network: {difference}");

        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        foreach (var (tensor, parameter) in manifest.Tensors.Zip(Parameters(manifest, network)))
        {
            var values = file.ReadAll(tensor.Name);
            if (Array.FindIndex(values, value => !float.IsFinite(value)) is var bad and >= 0)
            {
                throw new SafetensorsException($"tensor '{tensor.Name}' holds a value that is not finite at element {bad}");
            }

            parameter.copy_(ToTensor(values, tensor));
        }
    }

    /// <summary>Writes the network's weights as a model file; durable when this returns.</summary>
    public static void Write(string path, TensorManifest manifest, Module<Tensor, Tensor> network, ModelMetadata metadata)
    {
        using var writer = SafetensorsWriter.Create(path, manifest, metadata.ToDictionary());
        foreach (var parameter in Parameters(manifest, network)) writer.Write(Values(parameter));
        writer.Complete();
    }

    /// <summary>Writes an update: the averaged weights minus those of the base model, in float32, without metadata; durable when this returns.</summary>
    /// <param name="path">The file.</param>
    /// <param name="manifest">What an update consists of.</param>
    /// <param name="network">The trained network.</param>
    /// <param name="basePath">The base model.</param>
    /// <param name="controlChange">SCAFFOLD: the change of the control variate, tensor by tensor of <see cref="UpdateManifest.Control"/>.</param>
    /// <exception cref="SafetensorsException">The base model's file is malformed.</exception>
    public static void WriteUpdate(
        string path, UpdateManifest manifest, Module<Tensor, Tensor> network, string basePath, IReadOnlyList<Tensor>? controlChange = null)
    {
        var parameters = network.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);
        using var baseModel = SafetensorsFile.Open(basePath);
        using var writer = SafetensorsWriter.Create(path, manifest.All);
        foreach (var tensor in manifest.Weights.Tensors)
        {
            var delta = Values(parameters[tensor.Name]);
            var before = baseModel.ReadAll(tensor.Name);
            for (var i = 0; i < delta.Length; i++) delta[i] -= before[i];
            writer.Write(delta);
        }

        foreach (var (_, change) in manifest.Control.Tensors.Zip(controlChange ?? [])) writer.Write(Values(change));
        writer.Complete();
    }

    /// <summary>Whether every weight is a finite number.</summary>
    public static bool AreFinite(Module<Tensor, Tensor> network)
    {
        using var scope = NewDisposeScope();
        return network.parameters().All(parameter => parameter.isfinite().all().item<bool>());
    }

    private static IEnumerable<TorchSharp.Modules.Parameter> Parameters(TensorManifest manifest, Module<Tensor, Tensor> network)
    {
        var parameters = network.named_parameters().ToArray();
        var actual = parameters.Select(entry => new TensorSpec(entry.name, [.. entry.parameter.shape.Select(extent => checked((int)extent))])).ToArray();
        if (manifest.FirstDifference(actual) is { } difference) throw new InvalidOperationException($"The network is not the manifest's: {difference}.");
        return parameters.Select(entry => entry.parameter);
    }

    private static float[] Values(Tensor parameter)
    {
        using var scope = NewDisposeScope();
        return parameter.detach().cpu().contiguous().data<float>().ToArray();
    }

    private static Tensor ToTensor(float[] values, TensorSpec spec) => tensor(values, [.. spec.Shape.Select(extent => (long)extent)]);
}
