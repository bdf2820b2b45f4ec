using FedSeg.Coordinator.Blind;
using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Server;

namespace FedSeg.Coordinator.Tests.Blind;

/// <summary>A blind round whose disk refuses a message: what it holds and what another one would read are two things.</summary>
public sealed class BlindRoundTests : IAsyncDisposable
{
    private readonly BlindCoordinator _coordinator = new();

    public ValueTask DisposeAsync() => _coordinator.DisposeAsync();

    /// <summary>The message is the last that the stage waits for, and nobody has it on a disk.</summary>
    [Fact]
    public async Task Accept_DiskIsFull_NothingIsBuiltOnTheMessage()
    {
        var round = await WithRefusedMessageAsync();

        Assert.Empty(round.Advance(_coordinator.Disk.Book.Find(_coordinator.Run)!.OpenRound!, patienceIsOver: false));

        Assert.Equal(SumStage.Keys, round.Stage);
        Assert.Equal((null, false), round.MessageAfter(SumStage.Keys, BlindCoordinator.Sites[0]));
    }

    /// <summary>Between looking the round up and asking it for its signal somebody else's message may have broken it.</summary>
    [Fact]
    public async Task NextChange_TakenOfARoundThatAnotherTakesOverFrom_DoesNotWait()
    {
        var round = new BlindRound(await _coordinator.OpenedAsync(), Files("other"), Check);
        Assert.False(round.NextChange.IsCompleted);

        round.GiveWay();

        Assert.True(round.NextChange.IsCompleted);
    }

    private async Task<BlindRound> WithRefusedMessageAsync()
    {
        await _coordinator.AdvertiseAsync([.. BlindCoordinator.Sites]);
        var said = _coordinator.Disk.Blobs.ExchangeOf(_coordinator.Plan);
        var round = new BlindRound(_coordinator.Plan, Files("other"), Check);
        foreach (var site in BlindCoordinator.Sites[..4]) Assert.Null(Accept(site));
        var last = BlindCoordinator.Sites[4];
        using var full = _coordinator.FillDisk("other", SumStage.Keys, last);
        Assert.Throws<IOException>(() => Accept(last));
        return round;

        AbortReason? Accept(SiteId site) => round.Accept(SumStage.Keys, site, said.Find(SumStage.Keys, site)!, () => false);
    }

    private ExchangeFiles Files(string folder) => new(Path.Combine(_coordinator.Disk.Root, folder), _coordinator.Plan);

    private static SiteKeyCheck Check => BlindCoordinator.KeyOf;
}
