using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Segmentation.Tests.Preprocessing;

public sealed class PatientSplitTests
{
    private static readonly string[] TenPatients = [.. Enumerable.Range(0, 10).Select(i => $"{i:x64}")];

    [Theory]
    [InlineData(10, 0.2, 2)]
    [InlineData(10, 0.21, 3)]
    [InlineData(3, 0.05, 1)]
    [InlineData(2, 0.9, 1)]
    [InlineData(1, 0.5, 0)]
    [InlineData(0, 0.5, 0)]
    public void HeldBack_Fraction_IsRoundedUpButNeverAll(int patients, double fraction, int expected) =>
        Assert.Equal(expected, PatientSplit.HeldBack(TenPatients.Take(patients), fraction, seed: 1).Count);

    [Fact]
    public void HeldBack_AnyOrderAndRepeats_IsTheSame() =>
        Assert.True(PatientSplit.HeldBack(TenPatients, 0.3, 1).SetEquals(PatientSplit.HeldBack(TenPatients.Reverse().Concat(TenPatients), 0.3, 1)));

    [Fact]
    public void HeldBack_KnownKeys_AreThoseOfTheLowestHash()
    {
        // sha256(01 00 00 00 00 00 00 00 ‖ "a" | "b" | "c"), computed with Python's hashlib.
        Assert.Equal(["b"], PatientSplit.HeldBack(["a", "b", "c"], 0.3, seed: 1));
    }

    [Fact]
    public void HeldBack_OtherSeeds_HoldBackOtherPatients() =>
        Assert.True(Enumerable.Range(0, 20).Select(seed => string.Join(",", PatientSplit.HeldBack(TenPatients, 0.2, (ulong)seed).Order())).Distinct().Count() > 5);

    [Fact]
    public void Split_PatientsWithSeveralCases_AreNeverOnBothSides()
    {
        var cases = Enumerable.Range(0, 12).Select(i => SyntheticCases.Ball(6, TenPatients[i / 2], i)).ToArray();
        var cohort = Cohort.Split(cases, 0.25, seed: 3);
        Assert.Equal(12, cohort.Training.Length + cohort.HeldBack.Length);
        Assert.Equal(4, cohort.HeldBack.Length);
        Assert.Empty(cohort.Training.Select(entry => entry.PatientKey).Intersect(cohort.HeldBack.Select(entry => entry.PatientKey)));
    }
}
