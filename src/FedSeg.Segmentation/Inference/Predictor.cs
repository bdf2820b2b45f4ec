using System.Collections.Immutable;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Explanation;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Uncertainty;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Inference;

/// <summary>
/// Model files ready for use: network, preprocessing and labels are rebuilt from the files alone. Several models, such as those of a run's
/// last rounds, answer as one by the mean of their logits.
/// </summary>
public sealed class Predictor : IDisposable
{
    private readonly IReadOnlyList<UNet> _networks;
    private readonly NetworkAverage _average;
    private readonly Device _device;

    private Predictor(ModelMetadata model, IReadOnlyList<UNet> networks, bool mirror, Device device)
    {
        Model = model;
        _networks = networks;
        _average = new NetworkAverage(networks, mirror ? Mirroring.AxesOf(model.Labels, model.Preprocessing) : []);
        _device = device;
    }

    /// <summary>What the first file says about the model.</summary>
    public ModelMetadata Model { get; }

    /// <summary>Opens models that share labels and preprocessing.</summary>
    /// <param name="modelPaths">At least one.</param>
    /// <param name="mirror">Whether mirror images vote too; 8 times the work in 3D. Axes along which a label would become another are left
    /// out.</param>
    /// <param name="device">Where to compute.</param>
    /// <exception cref="SafetensorsException">
    /// A file is malformed, is not FedSeg's, names a network that is not on the allow-list, or predicts other labels or on another grid
    /// than the first.
    /// </exception>
    public static Predictor Open(IReadOnlyList<string> modelPaths, bool mirror, Device device)
    {
        ArgumentOutOfRangeException.ThrowIfZero(modelPaths.Count, nameof(modelPaths));
        var networks = new List<UNet>();
        try
        {
            var first = ModelMetadata.ReadFile(modelPaths[0]);
            foreach (var path in modelPaths)
            {
                var model = ModelMetadata.ReadFile(path);
                var problems = ArchitectureCatalog.Problems(model.Architecture);
                if (problems.Count > 0) throw new SafetensorsException(string.Join("; ", problems));
                if (Difference(first, model) is { } difference)
                {
                    throw new SafetensorsException($"the models can't answer as one: their {difference} differ");
                }

                networks.Add(ModelWeights.Open(path, model.Architecture, device));
            }

            return new Predictor(first, networks, mirror, device);
        }
        catch
        {
            foreach (var network in networks) network.Dispose();
            throw;
        }
    }

    /// <summary>Segments an image; classes as in <see cref="ModelMetadata.Labels"/>, on exactly the image's grid.</summary>
    /// <param name="image">The image on the scanner's grid.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before each window.</param>
    public LabelVolume Segment(Volume image, Action<double>? progress, CancellationToken cancellationToken)
    {
        var prepared = Prepare(image);
        return Evaluation.Segment(_average, Model.Labels.Length + 1, prepared, Model.Preprocessing, _device, progress, cancellationToken);
    }

    /// <summary>Segments an image and tells where the models, or their mirror images, are unsure or disagree.</summary>
    /// <param name="image">The image on the scanner's grid.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before each window.</param>
    public UncertainSegmentation SegmentWithUncertainty(Volume image, Action<double>? progress, CancellationToken cancellationToken)
    {
        var prepared = Prepare(image);
        return UncertainSegmentation.Of(_average, Model.Labels.Length + 1, prepared, Model.Preprocessing, _device, progress, cancellationToken);
    }

    /// <summary>
    /// How well the models agree on an image, or an only model with its own mirror images; <see langword="null"/> where there is nobody to
    /// disagree. Each segments the image once more.
    /// </summary>
    /// <param name="image">The image on the scanner's grid.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before each window.</param>
    public MemberAgreement? Agreement(Volume image, Action<double>? progress, CancellationToken cancellationToken)
    {
        var members = _average.Members();
        if (members.Count < 2) return null;
        var prepared = Prepare(image);
        var answers = new List<LabelVolume>();
        foreach (var member in members)
        {
            var before = answers.Count;
            Action<double>? share = progress is null ? null : done => progress((before + done) / members.Count);
            answers.Add(Evaluation.Segment(member, Model.Labels.Length + 1, prepared, Model.Preprocessing, _device, share, cancellationToken));
        }

        return MemberAgreement.Of(answers, Model.Labels.Length);
    }

    /// <summary>Measures the model on one prepared case against its reference.</summary>
    /// <param name="site">The case's site, as the result shall name it.</param>
    /// <param name="name">The case, as the result shall name it.</param>
    /// <param name="entry">Prepared as the model's preprocessing says.</param>
    /// <param name="cancellationToken">Looked at before each window.</param>
    public EvaluatedCase Evaluate(string site, string name, PreparedCase entry, CancellationToken cancellationToken)
    {
        var labels = Model.Labels.Length;
        var prediction = Evaluation.Segment(_average, labels + 1, entry.Prepared, Model.Preprocessing, _device, progress: null, cancellationToken);
        return EvaluatedCase.Of(site, name, entry.PatientKey, labels, prediction, entry.Reference, agreement: null);
    }

    /// <summary>Explains what the first model found of each label.</summary>
    /// <param name="image">The image on the scanner's grid.</param>
    /// <param name="found">The labels found in it.</param>
    /// <param name="options">How much work.</param>
    /// <param name="cancellationToken">Looked at between passes through the network.</param>
    /// <returns>One a label in class order; <see langword="null"/> for a label that was not found, or not by the first model.</returns>
    public IReadOnlyList<LabelExplanation?> Explain(
        Volume image, LabelVolume found, ExplanationOptions options, CancellationToken cancellationToken)
    {
        var prepared = Prepare(image);
        var patch = Model.Preprocessing.PatchVoxels;
        using var randomised = ShuffledWeights.Of(_networks[0], Model.Architecture, _device, seed: 1);
        var explainer = new LabelExplainer(_networks[0], randomised, prepared, new Index3(patch[0], patch[1], patch[2]), _device);
        return [.. Model.Labels.Select((name, i) => explainer.Explain(i + 1, name, found, options, cancellationToken))];
    }

    /// <summary>Scores the model on prepared cases, in label order.</summary>
    public ImmutableArray<LabelScore> Score(IReadOnlyCollection<PreparedCase> cases, CancellationToken cancellationToken) =>
        Evaluation.Score(_average, cases, Model.Labels, Model.Preprocessing, _device, cancellationToken);

    public void Dispose()
    {
        foreach (var network in _networks) network.Dispose();
    }

    /// <summary>
    /// Prepares an image and lets go of the copies that this took, gigabytes for a CT: the collector does not see what the network is about to ask the system for beside them.
    /// </summary>
    private PreparedImage Prepare(Volume image)
    {
        // Fewer voxels, 64 MB of them, are not worth a collection of everything.
        const int large = 16 << 20;
        var prepared = PreparedImage.From(image, Model.Preprocessing);
        if (Math.Max(image.Voxels.Length, prepared.Input.Voxels.Length) >= large)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }

        return prepared;
    }

    private static string? Difference(ModelMetadata a, ModelMetadata b)
    {
        if (!a.Labels.SequenceEqual(b.Labels)) return "labels";
        if (a.Architecture.Classes != b.Architecture.Classes) return "classes";
        return a.Preprocessing.PreparesLike(b.Preprocessing) && a.Preprocessing.PatchVoxels.SequenceEqual(b.Preprocessing.PatchVoxels)
            ? null
            : "preprocessing";
    }
}
