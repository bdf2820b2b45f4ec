using FedSeg.Imaging.Resampling;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Resampling;

/// <summary>The oracle is the resampling of whole score volumes, and the highest of them.</summary>
public sealed class ScoreLabellingTests
{
    private const int Classes = 3;

    public static TheoryData<Index3, double, Index3> Pairs => new()
    {
        { new Index3(5, 7, 6), 1, new Index3(9, 11, 13) }, // finer
        { new Index3(9, 11, 13), 1, new Index3(5, 7, 6) }, // coarser
        { new Index3(5, 7, 6), 1, new Index3(5, 7, 6) }, // the same
        { new Index3(4, 8, 8), 5, new Index3(10, 16, 16) }, // thick slices are repeated, not interpolated
        { new Index3(1, 8, 8), 1, new Index3(3, 8, 8) },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Add_PlaneByPlane_IsTheHighestOfTheResampledScores(Index3 size, double sliceMm, Index3 target)
    {
        var from = Grids.Straight(size, sliceMm, 1, 1);
        var to = Resampler.GridAt(from, Grids.SpacingMm(sliceMm * size.Z / target.Z, (double)size.Y / target.Y, (double)size.X / target.X));
        Assert.Equal(target, to.Size);
        var random = new Random(1);
        var scores = Enumerable.Range(0, Classes * from.VoxelCount).Select(_ => random.NextSingle()).ToArray();

        var labels = Label(scores, from, to).Labels;

        var expected = Resampler.ScoresToGrid(scores, Classes, from, to);
        for (var voxel = 0; voxel < labels.Length; voxel++)
        {
            // The oracle rounds to float after each axis; where two classes tie within that, either may win.
            var best = Enumerable.Range(0, Classes).Max(label => expected[label * labels.Length + voxel]);
            Assert.InRange(expected[labels[voxel] * labels.Length + voxel], best - 1e-6f, best);
        }
    }

    [Fact]
    public void Add_Tie_GoesToTheLowerClass()
    {
        var grid = Grids.Straight(new Index3(1, 1, 2), 1, 1, 1);

        Assert.Equal([0, 1], Label([5, 1, 5, 2, 4, 2], grid, grid).Labels);
    }

    [Fact]
    public void Finish_BeforeTheLastPlane_IsRefused()
    {
        var grid = Grids.Straight(new Index3(2, 1, 1), 1, 1, 1);
        var labelling = new ScoreLabelling(1, grid, grid);
        labelling.Add([0]);

        Assert.Throws<InvalidOperationException>(labelling.Finish);
    }

    [Fact]
    public void Add_OnePlaneTooManyOrOfAnotherSize_IsRefused()
    {
        var grid = Grids.Straight(new Index3(1, 1, 2), 1, 1, 1);
        var labelling = new ScoreLabelling(1, grid, grid);

        Assert.Throws<ArgumentException>(() => labelling.Add([0]));
        labelling.Add([0, 0]);
        Assert.Throws<InvalidOperationException>(() => labelling.Add([0, 0]));
    }

    private static LabelVolume Label(float[] scores, GridGeometry from, GridGeometry to)
    {
        var labelling = new ScoreLabelling(scores.Length / from.VoxelCount, from, to);
        var plane = from.Size.Y * from.Size.X;
        for (var z = 0; z < from.Size.Z; z++)
        {
            labelling.Add([.. Enumerable.Range(0, scores.Length / from.VoxelCount).SelectMany(label => scores.AsSpan(label * from.VoxelCount + z * plane, plane).ToArray())]);
        }

        return labelling.Finish();
    }
}
