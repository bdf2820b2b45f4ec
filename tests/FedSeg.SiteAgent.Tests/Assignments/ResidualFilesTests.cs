using FedSeg.SiteAgent.Assignments;
using FedSeg.Testing;

namespace FedSeg.SiteAgent.Tests.Assignments;

public sealed class ResidualFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private ResidualFiles Files => new(_folder[""]);

    [Fact]
    public void FindBefore_UpdateThatHasNotArrived_IsNotYetCounted()
    {
        File.WriteAllText(Files.UnsentPath(1), "one");

        Assert.Null(Files.FindBefore(2));
    }

    [Fact]
    public void Keep_UpdateThatArrived_CountsFromTheNextRoundOnAndReplacesEarlierOnes()
    {
        File.WriteAllText(Files.UnsentPath(9), "nine");
        Files.Keep(9);
        File.WriteAllText(Files.UnsentPath(10), "ten");
        Assert.Equal("nine", File.ReadAllText(Files.FindBefore(10)!));

        Files.Keep(10);

        Assert.Equal("ten", File.ReadAllText(Files.FindBefore(11)!));
        Assert.Single(Directory.GetFiles(_folder[""]));
        // The round itself, done again, never gets its own.
        Assert.Null(Files.FindBefore(10));
    }

    /// <summary>After a crash the update is sent again, and what was kept is kept.</summary>
    [Fact]
    public void Keep_ASecondTime_ChangesNothing()
    {
        File.WriteAllText(Files.UnsentPath(1), "one");
        Files.Keep(1);
        Files.Keep(1);

        Assert.Equal("one", File.ReadAllText(Files.FindBefore(2)!));
    }

    [Fact]
    public void DropUnsent_RefusedUpdate_LeavesTheLastThatArrived()
    {
        File.WriteAllText(Files.UnsentPath(1), "one");
        Files.Keep(1);
        File.WriteAllText(Files.UnsentPath(2), "two");
        Files.DropUnsent();
        Files.Keep(2);

        Assert.Equal("one", File.ReadAllText(Files.FindBefore(3)!));
        Assert.Single(Directory.GetFiles(_folder[""]));
    }

    [Fact]
    public void FindBefore_NoFolderYet_IsNothing() => Assert.Null(new ResidualFiles(_folder["none"]).FindBefore(1));
}
