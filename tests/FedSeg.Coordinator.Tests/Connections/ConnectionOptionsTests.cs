using FedSeg.Coordinator.Connections;

namespace FedSeg.Coordinator.Tests.Connections;

public sealed class ConnectionOptionsTests
{
    [Fact]
    public void Validate_EveryLimitOutOfRange_NamesEachByItsKey()
    {
        var options = new ConnectionOptions
        {
            Maximum = 1,
            MaximumHandshakes = 0,
            MaximumPerCaller = 0,
            MaximumResets = 0,
            LockoutSeconds = 0,
            HandshakeSeconds = 0,
            RequestSeconds = 1,
            IdleSeconds = 0,
        };

        var verdict = new CoordinatorOptionsValidator().Validate(null, new CoordinatorOptions { Connections = options });

        Assert.All(
            typeof(ConnectionOptions).GetProperties(),
            limit => Assert.Contains(verdict.Failures!, problem => problem.Contains("Connections." + limit.Name, StringComparison.Ordinal)));
    }
}
