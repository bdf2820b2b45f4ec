namespace FedSeg.Trainer.Tests;

public sealed class NetworkIsolationTests
{
    private static readonly string[] Header =
    [
        "Inter-|   Receive                                                |  Transmit",
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed",
    ];

    [Fact]
    public void OnlyLoopback_LoopbackAlone_IsTrue() =>
        Assert.True(NetworkIsolation.OnlyLoopback([.. Header, "    lo:  1234      12    0    0    0     0          0         0     1234      12    0    0    0     0       0          0"]));

    [Fact]
    public void OnlyLoopback_AnyOtherInterface_IsFalse() =>
        Assert.False(NetworkIsolation.OnlyLoopback([.. Header, "    lo: 0 0", "  eth0: 0 0"]));
}
