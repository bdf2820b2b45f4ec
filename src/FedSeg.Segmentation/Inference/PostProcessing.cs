using System.Collections.Immutable;
using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Inference;

/// <summary>Which labels are cut down to their largest connected piece. Source: nnU-Net v2.</summary>
/// <param name="WholeForeground">All labels together, first.</param>
/// <param name="Labels">Then each of these by itself.</param>
public sealed record PostProcessing(bool WholeForeground, ImmutableArray<byte> Labels)
{
    private static readonly ImmutableArray<byte> AllLabels = [.. Enumerable.Range(1, 255).Select(label => (byte)label)];

    public LabelVolume Apply(LabelVolume prediction)
    {
        var result = WholeForeground ? LargestComponent.Keep(prediction, AllLabels) : prediction;
        return Labels.Aggregate(result, (volume, label) => LargestComponent.Keep(volume, [label]));
    }

    /// <summary>
    /// What helps on scored cases: the whole foreground's largest piece if the mean Dice over labels rises and no label's falls; after that
    /// a label's own largest piece, if its Dice rises.
    /// </summary>
    /// <param name="cases">What was tried on each case; best those of patients never trained on.</param>
    public static PostProcessing Choose(IReadOnlyList<PostProcessingTrial> cases)
    {
        var (plain, whole) = (Means(cases, trial => trial.Plain), Means(cases, trial => trial.Whole));
        var adopted = Mean(whole) > Mean(plain) && !plain.Zip(whole).Any(label => label.Second < label.First);
        var before = adopted ? whole : plain;
        var after = Means(cases, trial => adopted ? trial.WholeThenEach : trial.Each);
        var helped = Enumerable.Range(0, before.Length).Where(i => after[i] > before[i]);
        return new PostProcessing(adopted, [.. helped.Select(i => (byte)(i + 1))]);
    }

    /// <summary>Mean Dice of each label on scored cases, as predicted and with this; NaN where no case has the label.</summary>
    public ImmutableArray<(double Before, double After)> Effect(IReadOnlyList<PostProcessingTrial> cases)
    {
        var (plain, all) = (Means(cases, trial => trial.Plain), Means(cases, trial => WholeForeground ? trial.Whole : trial.Plain));
        var alone = Means(cases, trial => WholeForeground ? trial.WholeThenEach : trial.Each);
        return [.. plain.Select((before, i) => (before, Labels.Contains((byte)(i + 1)) ? alone[i] : all[i]))];
    }

    /// <summary>Mean Dice of each label over the cases that have it in prediction or reference; NaN where none has.</summary>
    private static double[] Means(IReadOnlyList<PostProcessingTrial> cases, Func<PostProcessingTrial, ImmutableArray<double>> dice)
    {
        var labels = cases.Count == 0 ? 0 : dice(cases[0]).Length;
        return [.. Enumerable.Range(0, labels).Select(label => Mean(cases.Select(trial => dice(trial)[label])))];
    }

    private static double Mean(IEnumerable<double> values)
    {
        var known = values.Where(value => !double.IsNaN(value)).ToList();
        return known.Count == 0 ? double.NaN : known.Average();
    }
}

/// <summary>
/// Dice of each label of one case, in class order, under every choice; NaN where neither prediction nor reference has the label.
/// </summary>
/// <param name="Plain">As predicted.</param>
/// <param name="Whole">With the whole foreground's largest piece only.</param>
/// <param name="Each">With each label's own largest piece only.</param>
/// <param name="WholeThenEach">Both, one after the other.</param>
public sealed record PostProcessingTrial(
    ImmutableArray<double> Plain, ImmutableArray<double> Whole, ImmutableArray<double> Each, ImmutableArray<double> WholeThenEach)
{
    /// <summary>Tries every choice; a label's own piece changes no other label's Dice, so one pass per choice is enough.</summary>
    /// <param name="prediction">On the reference's grid.</param>
    /// <param name="reference">The truth.</param>
    /// <param name="labels">Number of labels, background left out.</param>
    public static PostProcessingTrial Of(LabelVolume prediction, LabelVolume reference, int labels)
    {
        ImmutableArray<byte> each = [.. Enumerable.Range(1, labels).Select(label => (byte)label)];
        return new PostProcessingTrial(Try(false, []), Try(true, []), Try(false, each), Try(true, each));

        ImmutableArray<double> Try(bool whole, ImmutableArray<byte> alone)
        {
            var processed = new PostProcessing(whole, alone).Apply(prediction);
            return [.. DiceScore.PerLabel(reference.Labels, processed.Labels, labels + 1).Skip(1)];
        }
    }
}
