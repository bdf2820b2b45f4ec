using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Uncertainty;

namespace FedSeg.Segmentation.Tests.Uncertainty;

public sealed class MemberAgreementTests
{
    [Fact]
    public void Of_ThreeMembers_IsTheMeanDiceOfAllPairs()
    {
        var agreement = MemberAgreement.Of([Line(1, 1, 0, 2), Line(1, 0, 0, 2), Line(1, 1, 0, 0)], labels: 3);

        // Label 1: 2/3, 1, 2/3. Label 2: 1, 0, 0. Label 3: nobody has it.
        Assert.Equal([7.0 / 9, 1.0 / 3, double.NaN], agreement.DicePerLabel, (a, b) => a.Equals(b) || Math.Abs(a - b) < 1e-12);
        Assert.Equal((7.0 / 9 + 1.0 / 3) / 2, agreement.Score, 1e-12);
    }

    [Fact]
    public void Of_NobodyFindsAnything_IsFullAgreement() => Assert.Equal(1, MemberAgreement.Of([Line(0, 0), Line(0, 0)], labels: 2).Score);

    [Fact]
    public void Of_OneAlone_CanNotAgree() => Assert.Throws<ArgumentOutOfRangeException>(() => MemberAgreement.Of([Line(0)], labels: 1));

    private static LabelVolume Line(params byte[] labels) => new(SyntheticCases.Grid(1, 1, labels.Length), labels);
}
