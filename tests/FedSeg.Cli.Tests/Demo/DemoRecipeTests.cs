using FedSeg.Testing;
using FedSeg.Cli.Demo;
using FedSeg.Cli.Programs;
using FedSeg.Dicom;
using FedSeg.Federation.Jobs;
using FedSeg.Imaging.Phantoms;

namespace FedSeg.Cli.Tests.Demo;

public sealed class DemoRecipeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DemoData _data;

    public DemoRecipeTests()
    {
        PhantomHospitals.Write(_folder["data"], new PhantomOptions { Sites = 2, CasesPerSite = 2 });
        _data = DemoData.Survey(_folder["data"], new DicomLimits(), TestContext.Current.CancellationToken);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Propose_PhantomHospitals_IsAJobTheReaderAccepts()
    {
        var job = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(DemoRecipe.Propose("demo", _data, rounds: 4, stepsPerRound: 7))).Job;

        Assert.Equal(_data.Sites.Keys, job.Sites.Select(site => site.ToString()));
        Assert.Equal(_data.CommonLabels, job.Labels);
        Assert.Equal((4, 7, 2), (job.Rounds, job.Recipe.StepsPerRound, job.Quorum));
    }

    [Fact]
    public void Propose_LabelWithAComma_IsNotTakenForTwoLabels()
    {
        var data = Relabelled("kidney, left");

        Assert.Contains("kidney, left", Assert.Throws<BadInputException>(() => DemoRecipe.Parse(DemoRecipe.Propose("demo", data, 4, 7))).Message);
    }

    [Fact]
    public void Propose_LabelThatYamlReadsOtherwise_StaysALabel()
    {
        var job = DemoRecipe.Parse(DemoRecipe.Propose("demo", Relabelled("null"), 4, 7));

        Assert.Equal(["null"], job.Labels);
    }

    [Fact]
    public void Propose_NoCommonLabel_SaysSo() =>
        Assert.Throws<BadInputException>(() => DemoRecipe.Propose("demo", Relabelled(), 4, 7));

    private DemoData Relabelled(params string[] labels) =>
        _data with
        {
            Surveys = _data.Surveys.ToDictionary(entry => entry.Key, entry => entry.Value with { Cases = [.. entry.Value.Cases.Select(surveyed => surveyed with { SegmentLabels = labels })] }),
        };
}
