using FedSeg.Segmentation.Preprocessing;
using FedSeg.Testing;

namespace FedSeg.Segmentation.Tests.Preprocessing;

public sealed class RunSplitTests : IDisposable
{
    private static readonly string[] Patients = [.. Enumerable.Range(0, 40).Select(i => $"{i:x64}")];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void HeldBack_FirstTime_IsTheSplitOfThosePresent() =>
        Assert.True(PatientSplit.HeldBack(Patients[..10], 0.2, 1).SetEquals(HeldBack(Patients[..10])));

    [Fact]
    public void HeldBack_PatientsComeAndGo_NobodyChangesSides()
    {
        var first = HeldBack(Patients[..10]);
        var trained = Patients[..10].Except(first).ToList();

        var more = HeldBack(Patients);
        Assert.True(more.IsSupersetOf(first));
        Assert.Empty(more.Intersect(trained));
        // By their own hash: of thirty newcomers about six.
        Assert.InRange(more.Count - first.Count, 1, 15);

        // A held-back one is gone, and so are most: nobody takes their place.
        Assert.True(more.SetEquals(HeldBack(trained)));
        Assert.True(more.SetEquals(HeldBack(Patients)));
    }

    [Fact]
    public void HeldBack_OtherRun_IsSplitAnew()
    {
        HeldBack(Patients[..10]);
        Assert.True(PatientSplit.HeldBack(Patients, 0.2, 1).SetEquals(new RunSplit(_folder["other.json"]).HeldBack(Patients, 0.2, 1)));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"heldBack\":null,\"trained\":[]}")]
    [InlineData("[]")]
    public void HeldBack_DamagedFile_IsSaidAndNotGuessed(string content)
    {
        File.WriteAllText(_folder["split.json"], content);
        Assert.Throws<InvalidDataException>(() => HeldBack(Patients));
        Assert.Throws<InvalidDataException>(() => new RunSplit(_folder["split.json"]).Known());
        Assert.Equal(content, File.ReadAllText(_folder["split.json"]));
    }

    [Fact]
    public void Known_OfARun_IsWhoIsHeldBackInIt_AndWithoutAFileNobodyIs()
    {
        var heldBack = HeldBack(Patients);
        Assert.True(heldBack.SetEquals(new RunSplit(_folder["split.json"]).Known()));
        Assert.Throws<FileNotFoundException>(() => new RunSplit(_folder["other.json"]).Known());
    }

    private IReadOnlySet<string> HeldBack(IEnumerable<string> patients) => new RunSplit(_folder["split.json"]).HeldBack(patients, 0.2, 1);
}
