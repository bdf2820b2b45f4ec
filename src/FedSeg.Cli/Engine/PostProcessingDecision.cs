using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Cli.Programs;
using FedSeg.Federation;
using FedSeg.Federation.Identity;
using FedSeg.Segmentation.Inference;

namespace FedSeg.Cli.Engine;

/// <summary>
/// Which labels of a model gain by being cut down to their largest piece, as <c>fedseg evaluate</c> measured it and <c>fedseg predict</c> does it: a file, so that
/// nobody decides by hand. It holds for the models that were measured and for no others.
/// </summary>
internal sealed record PostProcessingDecision
{
    /// <summary>SHA-256 of the models measured, in ordinal order.</summary>
    public required ImmutableArray<Sha256Digest> Models { get; init; }

    /// <summary>Cases it was measured on.</summary>
    public required int Cases { get; init; }

    /// <summary>Whether only the largest piece of all labels together is kept, before anything else.</summary>
    public required bool WholeForeground { get; init; }

    /// <summary>Every label of the models, in class order.</summary>
    public required ImmutableArray<LabelDecision> Labels { get; init; }

    /// <summary>What is to be done.</summary>
    public PostProcessing Processing =>
        new(WholeForeground, [.. Enumerable.Range(1, Labels.Length).Where(label => Labels[label - 1].KeepLargest).Select(label => (byte)label)]);

    /// <summary>Decides by scored cases; best those of patients never trained on.</summary>
    public static PostProcessingDecision Of(IEnumerable<Sha256Digest> models, IReadOnlyList<string> labels, IReadOnlyList<EvaluatedCase> cases)
    {
        PostProcessingTrial[] trials = [.. cases.Select(scored => scored.Trial)];
        var chosen = PostProcessing.Choose(trials);
        var effect = chosen.Effect(trials);
        return new PostProcessingDecision
        {
            Models = InOrder(models),
            Cases = cases.Count,
            WholeForeground = chosen.WholeForeground,
            Labels = [.. labels.Select((label, i) => new LabelDecision(label, chosen.Labels.Contains((byte)(i + 1)), Known(effect[i].Before), Known(effect[i].After)))],
        };

        static double? Known(double dice) => double.IsNaN(dice) ? null : dice;
    }

    /// <summary>Reads a decision for models.</summary>
    /// <exception cref="BadInputException">The file is none, or was made for other models.</exception>
    public static PostProcessingDecision Read(FileInfo file, IEnumerable<Sha256Digest> models, IReadOnlyList<string> labels)
    {
        if (!file.Exists) throw new BadInputException($"There is no post-processing '{file.FullName}'.");
        try
        {
            var decision = JsonSerializer.Deserialize<PostProcessingDecision>(File.ReadAllBytes(file.FullName), FederationJson.Options)!;
            return decision.Models.SequenceEqual(InOrder(models)) && decision.Labels.Select(label => label.Label).SequenceEqual(labels)
                ? decision
                : throw new BadInputException($"{file.FullName}: decided for other models; let 'fedseg evaluate' decide for these.");
        }
        catch (JsonException error)
        {
            throw new BadInputException($"{file.FullName}: not a decision of 'fedseg evaluate': {error.Message}");
        }
    }

    public void Write(string path) => File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(this, FederationJson.Options));

    private static ImmutableArray<Sha256Digest> InOrder(IEnumerable<Sha256Digest> models) =>
        [.. models.OrderBy(digest => digest.ToString(), StringComparer.Ordinal)];
}

/// <summary>A label of a <see cref="PostProcessingDecision"/>.</summary>
/// <param name="KeepLargest">Whether its own largest piece is all that is kept of it.</param>
/// <param name="Dice">Mean Dice as predicted; absent where no case has the label.</param>
/// <param name="ProcessedDice">Mean Dice with all of the decision.</param>
internal sealed record LabelDecision(string Label, bool KeepLargest, double? Dice, double? ProcessedDice);
