using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Volumes;

public sealed class CanonicalOrientationTests
{
    [Fact]
    public void Apply_SagittalFlippedGrid_KeepsEveryVoxelsPatientPosition()
    {
        var grid = new GridGeometry(new(2, 3, 4), new(.5, 1.5, 3), new(10, 20, 30), new(new(-1, 0, 0), new(0, 0, -1), new(0, 1, 0)));
        var labels = new LabelVolume(grid, [.. Enumerable.Range(0, 24).Select(i => (byte)i)]);
        var orientation = CanonicalOrientation.Of(grid);
        var turned = orientation.Apply(labels);
        Assert.Equal(new Index3(3, 4, 2), turned.Grid.Size);
        Assert.Equal(new AxisDirections(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)), turned.Grid.Directions);
        for (var i = 0; i < 24; i++)
        {
            int v = turned.Labels[i];
            var expected = grid.PositionMm(v / 12, v / 4 % 3, v % 4);
            Assert.Equal(0, (turned.Grid.PositionMm(i / 8, i / 2 % 4, i % 2) - expected).Length, 1e-12);
        }

        Assert.Equal(labels.Labels, orientation.Undo(turned, grid).Labels);
    }
}
