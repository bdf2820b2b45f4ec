using FedSeg.Federation.Aggregation;

namespace FedSeg.Federation.Tests.Aggregation;

public sealed class LaneSumTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(43)]
    public void AddProducts_Floats_GivesTheBitsOfTheirDoubles(int length)
    {
        var x = Enumerable.Range(0, length).Select(i => MathF.Sin(i) * 1e20f).ToArray();
        var y = Enumerable.Range(0, length).Select(i => MathF.Cos(i) * 1e20f).ToArray();
        var (narrow, wide) = (new LaneSum(), new LaneSum());
        narrow.AddProducts(x, y);
        wide.AddProducts(Array.ConvertAll(x, value => (double)value), Array.ConvertAll(y, value => (double)value));

        Assert.Equal(wide.Total, narrow.Total);
    }
}
