using System.Collections.Immutable;
using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Uncertainty;

/// <summary>
/// How well several segmentations of one image agree: the mean Dice of all pairs. The best simple sign that a segmentation failed, without
/// any reference. Zenk et al., "Comparative benchmarking of failure detection methods in medical image segmentation", Medical Image
/// Analysis 101, 2025.
/// </summary>
/// <param name="DicePerLabel">Of each label in class order, over the pairs of which at least one has it; NaN where none has.</param>
public sealed record MemberAgreement(ImmutableArray<double> DicePerLabel)
{
    /// <summary>Mean over the labels that any member found; 1 where all agree that there is none.</summary>
    public double Score => DicePerLabel.Where(dice => !double.IsNaN(dice)).DefaultIfEmpty(1).Average();

    /// <param name="members">At least two, on one grid.</param>
    /// <param name="labels">Number of labels, background left out.</param>
    public static MemberAgreement Of(IReadOnlyList<LabelVolume> members, int labels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(members.Count, 2, nameof(members));
        var sums = new double[labels];
        var pairs = new int[labels];
        for (var i = 0; i < members.Count; i++)
        {
            for (var j = i + 1; j < members.Count; j++)
            {
                var dice = DiceScore.PerLabel(members[i].Labels, members[j].Labels, labels + 1);
                for (var label = 0; label < labels; label++)
                {
                    if (double.IsNaN(dice[label + 1])) continue;
                    sums[label] += dice[label + 1];
                    pairs[label]++;
                }
            }
        }

        return new MemberAgreement([.. sums.Zip(pairs, (sum, count) => count == 0 ? double.NaN : sum / count)]);
    }
}
