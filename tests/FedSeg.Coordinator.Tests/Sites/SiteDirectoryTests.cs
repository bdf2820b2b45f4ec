using FedSeg.Coordinator.Sites;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Coordinator.Tests.Sites;

public sealed class SiteDirectoryTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Leave_ConnectionThatWasTakenOver_KeepsTheNewOne()
    {
        var sites = Sites();
        var (first, second) = (Attendance(), Attendance());
        sites.Enter(CoordinatorOnDisk.North, first);
        sites.Enter(CoordinatorOnDisk.North, second);

        sites.Leave(CoordinatorOnDisk.North, first);
        Assert.Same(second, sites.Find(CoordinatorOnDisk.North));

        sites.Leave(CoordinatorOnDisk.North, second);
        Assert.Null(sites.Find(CoordinatorOnDisk.North));
    }

    [Fact]
    public void Enter_SameKeyAgain_EndsTheFirstConnection()
    {
        var sites = Sites();
        var (first, second) = (Attendance(), Attendance());
        sites.Enter(CoordinatorOnDisk.North, first);

        Assert.Equal(Entrance.Attends, sites.Enter(CoordinatorOnDisk.North, second));

        Assert.True(first.Ended.IsCancellationRequested);
        Assert.False(second.Ended.IsCancellationRequested);
    }

    [Fact]
    public void Enter_TwoAgentsTakeOverFromEachOther_IsContestedAtEveryFifthTime()
    {
        var sites = Sites();
        sites.Enter(CoordinatorOnDisk.North, Attendance());

        var contested = Enumerable.Range(1, 12).Where(_ => sites.Enter(CoordinatorOnDisk.North, Attendance()) == Entrance.Contested);

        Assert.Equal([5, 10], contested);
    }

    [Fact]
    public void Enter_LineThatBreaksEveryFiveMinutes_IsNotContested()
    {
        var sites = Sites();
        sites.Enter(CoordinatorOnDisk.North, Attendance());
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(5));
            Assert.Equal(Entrance.Attends, sites.Enter(CoordinatorOnDisk.North, Attendance()));
        }
    }

    /// <summary>Whoever holds a second certificate of the site dials every few seconds; the ledger is not to be filled by that.</summary>
    [Fact]
    public void Enter_AnotherKeyAgainAndAgain_IsRefusedAndSaidOnceAnHour()
    {
        var sites = Sites();
        sites.Enter(CoordinatorOnDisk.North, Attendance());
        Entrance Dial(string key) => sites.Enter(CoordinatorOnDisk.North, Attendance() with { Key = key });

        Assert.Equal(Entrance.Refused, Dial("stolen"));
        Assert.Equal(Entrance.RefusedAgain, Dial("stolen"));
        Assert.Equal(Entrance.Refused, Dial("another"));
        _time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(Entrance.Refused, Dial("stolen"));
    }

    /// <summary>What an earlier start left is sent before the site attends, and may take longer than an absence is borne.</summary>
    [Fact]
    public void AtHand_SiteThatOnlySendsAnUpdate_IsNotAwayUntilItIsDone()
    {
        var sites = Sites();
        var (first, second) = (sites.Sends(CoordinatorOnDisk.North), sites.Sends(CoordinatorOnDisk.North));
        Assert.Contains(CoordinatorOnDisk.North, sites.AtHand);
        Assert.Equal(0, sites.Count);

        first.Dispose();
        Assert.Contains(CoordinatorOnDisk.North, sites.AtHand);
        second.Dispose();
        Assert.Empty(sites.AtHand);
    }

    private SiteDirectory Sites() => new(_time, NullLogger<SiteDirectory>.Instance);

    private static Attendance Attendance() => new("0.1.0", ["kidney"], true);
}
