using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Volumes;

public sealed class CanonicalOrientationTests
{
    private static readonly Vector3D Left = new(1, 0, 0);
    private static readonly Vector3D Posterior = new(0, 1, 0);
    private static readonly Vector3D Head = new(0, 0, 1);

    /// <summary>Slice, row and column directions of ways a scanner or a file lays out a patient.</summary>
    public static TheoryData<string> Layouts =>
        ["axial", "axial from head to feet", "coronal", "sagittal", "sagittal mirrored", "oblique", "double oblique"];

    [Fact]
    public void Apply_LetterFDrawnMirroredAndUpsideDown_ComesOutUpright()
    {
        // Rows grow to the front and columns to the right: the letter is turned by 180° and reads F after the turn back.
        var grid = Grid(new Index3(1, 5, 3), new AxisDirections(Head, Posterior * -1, Left * -1));
        byte[] turned =
        [
            0, 0, 1,
            0, 0, 1,
            0, 1, 1,
            0, 0, 1,
            1, 1, 1,
        ];

        var upright = CanonicalOrientation.Of(grid).Apply(new LabelVolume(grid, turned));

        Assert.Equal(
            [
                1, 1, 1,
                1, 0, 0,
                1, 1, 0,
                1, 0, 0,
                1, 0, 0,
            ],
            upright.Labels);
    }

    [Fact]
    public void Apply_SagittalStack_MakesColumnsOfSlices()
    {
        // Two sagittal slices growing to the left, rows growing to the feet, columns growing to the back; 10, 2 and 3 mm.
        var directions = new AxisDirections(Left, Head * -1, Posterior);
        var grid = new GridGeometry(new Index3(2, 2, 3), new Vector3D(X: 3, Y: 2, Z: 10), new Vector3D(0, 0, 100), directions);
        var stack = new Volume(grid, [0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112]);

        var turned = CanonicalOrientation.Of(grid).Apply(stack);

        Assert.Equal([10, 110, 11, 111, 12, 112, 0, 100, 1, 101, 2, 102], turned.Voxels);
        Assert.Equal(new Index3(2, 3, 2), turned.Grid.Size);
        Assert.Equal(new Vector3D(X: 10, Y: 3, Z: 2), turned.Grid.SpacingMm);
        Assert.Equal(new Vector3D(0, 0, 98), turned.Grid.OriginMm);
        Assert.Equal(new AxisDirections(Head, Posterior, Left), turned.Grid.Directions);
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Apply_AnyLayout_KeepsEveryVoxelAtItsPlaceInThePatient(string layout)
    {
        var grid = Grid(new Index3(2, 3, 5), Directions(layout));
        var image = new Volume(grid, [.. Enumerable.Range(0, 30)]);

        var turned = CanonicalOrientation.Of(grid).Apply(image);

        var seen = new HashSet<float>();
        foreach (var (z, y, x) in Voxels(turned.Grid.Size))
        {
            var value = turned.Voxels[(z * turned.Grid.Size.Y + y) * turned.Grid.Size.X + x];
            var from = ((int)value / 15, (int)value / 5 % 3, (int)value % 5);
            Assert.Equal(0, (grid.PositionMm(from.Item1, from.Item2, from.Item3) - turned.Grid.PositionMm(z, y, x)).Length, 1e-9);
            Assert.True(seen.Add(value));
        }
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Apply_AnyLayout_RunsAlongTheNearestPatientAxes(string layout)
    {
        var directions = CanonicalOrientation.Of(Grid(new Index3(2, 3, 5), Directions(layout))).CanonicalGrid.Directions;

        // Within 54.7° of its axis: nearer to it than to any other.
        double[] cosines = [directions.Slice.Dot(Head), directions.Row.Dot(Posterior), directions.Column.Dot(Left)];
        Assert.All(cosines, cosine => Assert.True(cosine > 0.577));
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Undo_OfApply_IsTheSameLabelMapOnTheOriginalGrid(string layout)
    {
        var grid = Grid(new Index3(2, 3, 5), Directions(layout));
        var labels = new LabelVolume(grid, [.. Enumerable.Range(0, 30).Select(i => (byte)(i * i % 7))]);
        var orientation = CanonicalOrientation.Of(grid);

        var restored = orientation.Undo(orientation.Apply(labels), grid);

        Assert.Equal(labels.Labels, restored.Labels);
        Assert.Equal(grid, restored.Grid);
    }

    [Fact]
    public void Apply_GridAlreadyCanonical_ChangesNothing()
    {
        var grid = Grids.Straight(new Index3(2, 1, 2), 5, 1, 1);

        var turned = CanonicalOrientation.Of(grid).Apply(new Volume(grid, [1, 2, 3, 4]));

        Assert.Equal([1, 2, 3, 4], turned.Voxels);
        Assert.Equal(grid, turned.Grid);
    }

    [Fact]
    public void Of_GridTurnedByExactly45Degrees_KeepsItsAxes()
    {
        var h = Math.Sqrt(0.5);
        var grid = Grid(new Index3(2, 3, 5), new AxisDirections(new(0, -h, h), new(0, h, h), Left));

        Assert.Equal(grid, CanonicalOrientation.Of(grid).CanonicalGrid);
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Undo_OfApply_IsTheSameImageOnTheOriginalGrid(string layout)
    {
        var grid = Grid(new Index3(2, 3, 5), Directions(layout));
        var image = new Volume(grid, [.. Enumerable.Range(0, 30)]);
        var orientation = CanonicalOrientation.Of(grid);

        var restored = orientation.Undo(orientation.Apply(image), grid);

        Assert.Equal(image.Voxels, restored.Voxels);
        Assert.Equal(grid, restored.Grid);
    }

    [Fact]
    public void Apply_ImageOnAnotherGrid_IsRefused()
    {
        var grid = Grids.Straight(new Index3(1, 1, 2), 5, 1, 1);
        var other = Grids.Straight(new Index3(1, 1, 2), 5, 1, 1.5);

        Assert.Throws<ArgumentException>(() => CanonicalOrientation.Of(grid).Apply(new Volume(other, new float[2])));
        Assert.Throws<ArgumentException>(() => CanonicalOrientation.Of(grid).Apply(new LabelVolume(other, new byte[2])));
    }

    [Fact]
    public void Undo_LabelMapOnTheOriginalGrid_IsRefused()
    {
        var grid = Grid(new Index3(2, 2, 2), new AxisDirections(Head * -1, Posterior, Left * -1));

        Assert.Throws<ArgumentException>(() => CanonicalOrientation.Of(grid).Undo(new LabelVolume(grid, new byte[8]), grid));
    }

    private static AxisDirections Directions(string layout) => layout switch
    {
        "axial" => new(Head, Posterior, Left),
        "axial from head to feet" => new(Head * -1, Posterior * -1, Left),
        "coronal" => new(Posterior, Head * -1, Left),
        "sagittal" => new(Left * -1, Head * -1, Posterior),
        "sagittal mirrored" => new(Left, Head, Posterior * -1),
        "oblique" => new(new(0, -0.6, 0.8), new(0, 0.8, 0.6), new(-1, 0, 0)),
        // A coronal stack tilted towards head and left: columns, rows, and their normal.
        "double oblique" => new(new(-0.48, 0.8, -0.36), new(0.6, 0, -0.8), new(0.64, 0.6, 0.48)),
        _ => throw new ArgumentOutOfRangeException(nameof(layout)),
    };

    private static GridGeometry Grid(Index3 size, AxisDirections directions) =>
        new(size, new Vector3D(X: 0.7, Y: 0.9, Z: 4.5), new Vector3D(-31.5, 12.25, 640), directions);

    private static IEnumerable<(int Z, int Y, int X)> Voxels(Index3 size) =>
        from z in Enumerable.Range(0, size.Z) from y in Enumerable.Range(0, size.Y) from x in Enumerable.Range(0, size.X) select (z, y, x);
}
