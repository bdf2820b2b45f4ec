using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Rounds;

public sealed class SiteReportTests
{
    [Fact]
    public void ToBytes_OtherNumbersAndSuppressedScores_HaveTheSameLength()
    {
        var longer = Report(cases: 123_456, loss: -0.987, [new("kidney", 0.876, 12_345), new("tumour", 0.7, 9)]);
        var shorter = Report(cases: 9, loss: null, []);

        Assert.Equal(SiteReport.LengthStep, longer.ToBytes().Length);
        Assert.Equal(SiteReport.LengthStep, shorter.ToBytes().Length);
    }

    [Fact]
    public void FromBytes_PaddedReport_IsTheSameReport()
    {
        var bytes = Report(cases: 40, loss: 0.25, [new("kidney", 0.5, 10)]).ToBytes();

        Assert.Equal(bytes, SiteReport.FromBytes(bytes).ToBytes());
    }

    /// <summary>The serializer would make of it a list that ends whoever counts its entries: at the coordinator, by a site's word.</summary>
    [Fact]
    public void FromBytes_ListThatIsNull_IsNoReport()
    {
        var json = System.Text.Encoding.UTF8.GetString(Report(cases: 40, loss: 0.25, []).ToBytes());
        Assert.Contains("\"scores\":[]", json);

        Assert.Throws<System.Text.Json.JsonException>(
            () => SiteReport.FromBytes(System.Text.Encoding.UTF8.GetBytes(json.Replace("\"scores\":[]", "\"scores\":null"))));
    }

    private static SiteReport Report(int cases, double? loss, LabelScore[] scores) => new()
    {
        Run = RunId.Parse("run-1"),
        Round = 1,
        Task = RoundTask.Train,
        Site = SiteId.Parse("north"),
        Plan = Sha256Digest.Of("plan"u8),
        BaseModel = Sha256Digest.Of("base"u8),
        TrainingCases = cases,
        HeldBackCases = 10,
        Steps = 5,
        MeanLoss = loss,
        Scores = [.. scores],
    };
}
