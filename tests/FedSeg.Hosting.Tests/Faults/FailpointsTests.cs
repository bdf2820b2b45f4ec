using FedSeg.Hosting.Faults;

namespace FedSeg.Hosting.Tests.Faults;

public sealed class FailpointsTests
{
    private static readonly string[] Names = ["open", "commit"];

    [Fact]
    public void Read_NothingArmed_DoesNothing()
    {
        Failpoints.Read(null, null, Names).Hit("open.before");
        Failpoints.Read("", "yes", Names).Hit("open.before");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("no")]
    public void Read_WithoutPermission_RefusesTheStart(string? permission)
    {
        var error = Assert.Throws<InvalidDataException>(() => Read("open.before:throw", permission));

        Assert.Contains("FEDSEG_ALLOW_FAILPOINTS=yes", error.Message);
    }

    [Theory]
    [InlineData("close.before:kill", "commit.after, commit.before, open.after, open.before")]
    [InlineData("open:kill", "which this program does not have")]
    [InlineData("open.before", "name:action[:nth]")]
    [InlineData("open.before:explode", "kill, throw, delay or enospc")]
    [InlineData("open.before:0", "kill, throw, delay or enospc")]
    [InlineData("open.before:kill:0", "nth from 1")]
    [InlineData("open.before:kill:soon", "nth from 1")]
    [InlineData("open.before:throw,nowhere.before:throw", "nowhere.before")]
    public void Read_UnknownPlaceOrAction_RefusesTheStartAndSaysWhatThereIs(string armed, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => Read(armed, "yes"));

        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Hit_ThirdTime_FailsThenAndNeverAgain()
    {
        var failpoints = Read("commit.after:throw:3", "yes");
        failpoints.Hit("commit.after");
        failpoints.Hit("commit.before");
        failpoints.Hit("commit.after");

        Assert.Throws<FailpointException>(() => failpoints.Hit("commit.after"));
        failpoints.Hit("commit.after");
    }

    [Fact]
    public async Task AroundAsync_ArmedAfter_FailsWhenTheWorkIsDone()
    {
        var failpoints = Read("commit.after:enospc,open.before:throw", "yes");
        var done = false;

        await Assert.ThrowsAsync<IOException>(() => failpoints.AroundAsync("commit", () => Task.FromResult(done = true)));
        await Assert.ThrowsAsync<FailpointException>(() => failpoints.AroundAsync("open", () => Task.FromResult(done = false)));

        Assert.True(done);
    }

    private static Failpoints Read(string armed, string? permission) => Failpoints.Read(armed, permission, Names);
}
