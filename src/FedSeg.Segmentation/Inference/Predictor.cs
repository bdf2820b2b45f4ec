using System.Collections.Immutable;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Preprocessing;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Inference;

/// <summary>A model file ready for use: network, preprocessing and labels are rebuilt from the file alone.</summary>
public sealed class Predictor : IDisposable
{
    private readonly Module<Tensor, Tensor> _network;
    private readonly Device _device;

    private Predictor(ModelMetadata model, Module<Tensor, Tensor> network, Device device)
    {
        Model = model;
        _network = network;
        _device = device;
    }

    /// <summary>What the file says about the model.</summary>
    public ModelMetadata Model { get; }

    /// <summary>Opens a model.</summary>
    /// <exception cref="SafetensorsException">The file is malformed, is not FedSeg's, or names a network that is not on the allow-list.</exception>
    public static Predictor Open(string modelPath, Device device)
    {
        var model = ReadMetadata(modelPath);
        var problems = ArchitectureCatalog.Problems(model.Architecture);
        if (problems.Count > 0) throw new SafetensorsException(string.Join("; ", problems));

        return new Predictor(model, ModelWeights.Open(modelPath, model.Architecture, device), device);
    }

    /// <summary>Segments an image; classes as in <see cref="ModelMetadata.Labels"/>, on exactly the image's grid.</summary>
    public LabelVolume Segment(Volume image, CancellationToken cancellationToken) =>
        Evaluation.Segment(_network, PreparedImage.From(image, Model.Preprocessing), Model.Preprocessing, _device, cancellationToken);

    /// <summary>Scores the model on prepared cases, in label order.</summary>
    public ImmutableArray<LabelScore> Score(IReadOnlyCollection<PreparedCase> cases, CancellationToken cancellationToken) =>
        Evaluation.Score(_network, cases, Model.Labels, Model.Preprocessing, _device, cancellationToken);

    public void Dispose() => _network.Dispose();

    private static ModelMetadata ReadMetadata(string modelPath)
    {
        using var file = SafetensorsFile.Open(modelPath);
        return ModelMetadata.Parse(file.Metadata);
    }
}
