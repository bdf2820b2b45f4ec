using System.Collections.Immutable;
using FedSeg.Coordinator.Sites;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Yaml;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Coordinator.Tests.Jobs;

public sealed class JobCatalogTests : IDisposable
{
    private readonly CoordinatorOnDisk _coordinator = new();

    public JobCatalogTests()
    {
        foreach (var site in new[] { "north", "east" })
        {
            var request = KeyFiles.CreateRequest(Path.Combine(_coordinator.Root, site + ".key"), site);
            _coordinator.Authority.SignMember(request, MemberKind.Site, site, PersonRole.None, TimeSpan.FromDays(1));
        }
    }

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public void Problems_KnownSitesAndLabels_AreNone()
    {
        Attend("north", "kidney", "tumour");

        Assert.Empty(Problems("north", "east"));
    }

    [Fact]
    public void Problems_SiteOutsideTheRegister_IsAProblemThatNamesTheKnownOnes()
    {
        Assert.Equal("sites: 'mars' is not a site of this federation; known are: north, east", Assert.Single(Problems("north", "mars")).Message);
    }

    [Fact]
    public void Problems_RevokedSite_IsAProblem()
    {
        _coordinator.Authority.Revoke(MemberKind.Site, "east");

        Assert.Contains("'east'", Assert.Single(Problems("north", "east")).Message);
    }

    [Fact]
    public void Problems_LabelAnAttendingSiteDoesNotDeclare_IsAProblemOfThatSite()
    {
        Attend("north", "Kidney");

        Assert.Equal("labels: 'tumour' is not a label of site 'north'; it declares: Kidney", Assert.Single(Problems("north", "east")).Message);
    }

    [Fact]
    public void Submit_SameJobsAtAnotherCoordinator_GiveTheSameIdsAndModels()
    {
        using var other = new CoordinatorOnDisk();
        RunState[] here = [_coordinator.Create(), _coordinator.Create(), _coordinator.Create(rounds: 3)];
        RunState[] there = [other.Create(), other.Create(), other.Create(rounds: 3)];

        Assert.Equal(here.Select(run => run.Id), there.Select(run => run.Id));
        Assert.Equal(here.Select(run => run.Model), there.Select(run => run.Model));
        Assert.Equal(3, here.Select(run => run.Id).Distinct().Count());
    }

    [Fact]
    public void Submit_LongestName_StillMakesARunId()
    {
        var run = _coordinator.Catalog.Submit(CoordinatorOnDisk.Job() with { Name = new string('a', 23) + "-" + new string('b', 16) }, "ada");

        Assert.StartsWith("run-aaaaaaaaaaaaaaaaaaaaaaa-", run.ToString());
    }

    [Fact]
    public void Cancel_Twice_IsOneEnd()
    {
        var run = _coordinator.Create().Id;

        var first = _coordinator.Catalog.Cancel(run, "ada");
        var second = _coordinator.Catalog.Cancel(run, "bob");

        Assert.Equal("Cancelled by ada.", second.End!.Reason);
        Assert.Equal(first.End, second.End);
        Assert.Single(_coordinator.Journal.ReadAll(), entry => entry.Event is RunEvent.Ended);
    }

    private ImmutableArray<YamlProblem> Problems(params string[] sites) =>
        _coordinator.Catalog.Problems(Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(JobYaml.Of(sites))).Job);

    private void Attend(string site, params string[] labels) => _coordinator.Sites.Enter(SiteId.Parse(site), new Attendance("0.1.0", [.. labels], true));
}
