using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Segmentation.Tests.Preprocessing;

public sealed class CanonicalGridTests
{
    private static readonly Vector3D Left = new(1, 0, 0);
    private static readonly Vector3D Posterior = new(0, 1, 0);
    private static readonly Vector3D Head = new(0, 0, 1);

    [Fact]
    public void Of_AlreadyCanonicalAtTheSpacing_IsTheSameGrid()
    {
        var study = SyntheticCases.Grid(3, 4, 5);
        Assert.Equal(study, CanonicalGrid.Of(study, [1, 1, 1]));
    }

    [Fact]
    public void Of_SagittalStackTowardsTheRight_PutsAxesInPatientOrderAndSense()
    {
        // Slices grow to the right, rows to the feet, columns to the back.
        var study = new GridGeometry(new Index3(3, 4, 5), new Vector3D(1, 1, 1), new Vector3D(10, 20, 30), new AxisDirections(Left * -1, Head * -1, Posterior));
        var canonical = CanonicalGrid.Of(study, [1, 1, 1]);
        Assert.Equal(new Index3(4, 5, 3), canonical.Size);
        Assert.Equal((Head, Posterior, Left), (canonical.Directions.Slice, canonical.Directions.Row, canonical.Directions.Column));
        Assert.Equal(new Vector3D(10 - 2, 20, 30 - 3), canonical.OriginMm);
    }

    [Fact]
    public void Of_CoarserSpacing_CoversTheSameExtentAboutTheSameCentre()
    {
        var canonical = CanonicalGrid.Of(SyntheticCases.Grid(4, 6, 8), [2, 3, 4]);
        Assert.Equal(new Index3(2, 2, 2), canonical.Size);
        Assert.Equal(new Vector3D(4, 3, 2), canonical.SpacingMm);
        Assert.Equal(new Vector3D(1.5, 1, 0.5), canonical.OriginMm); // half a new voxel inside the outer faces at −0.5
    }
}
