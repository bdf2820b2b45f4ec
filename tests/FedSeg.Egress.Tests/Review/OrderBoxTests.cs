using FedSeg.Egress.Review;
using FedSeg.Testing;

namespace FedSeg.Egress.Tests.Review;

public sealed class OrderBoxTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_PlacedOrders_ComeOldestFirstUntilRemoved()
    {
        var box = new OrderBox(_folder["orders"]);
        box.Place(new DeskOrder.Resume { Id = new string('b', 32), By = "olga", At = Noon.AddSeconds(1) });
        box.Place(new DeskOrder.Pause { Id = new string('c', 32), By = "olga", At = Noon });
        var read = new OrderBox(_folder["orders"]).Read();

        Assert.Equal([typeof(DeskOrder.Pause), typeof(DeskOrder.Resume)], read.Select(placed => placed.Order.GetType()));
        OrderBox.Remove(read[0]);
        Assert.Equal(read[1], Assert.Single(box.Read()));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"order\":\"dropTables\"}")]
    [InlineData("{\"order\":\"pause\",\"id\":\"../../x\",\"by\":\"olga\",\"at\":\"2026-03-01T12:00:00Z\"}")]
    [InlineData("null")]
    public void Read_NotAnOrder_IsMovedAside(string text)
    {
        var box = new OrderBox(_folder["orders"]);
        File.WriteAllText(_folder["orders", "1.json"], text);

        Assert.Empty(box.Read());
        Assert.True(File.Exists(_folder["orders", "1.json.unreadable"]));
    }
}
