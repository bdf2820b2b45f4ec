using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training.Augmentation;

namespace FedSeg.Segmentation.Tests.Training.Augmentation;

public sealed class SpatialAugmentationTests
{
    private static readonly Index3 Size = new(5, 5, 5);

    /// <summary>5 × 5 × 5 with one labelled voxel, z-scored; x is the odd one out.</summary>
    private static PreparedCase OneVoxel(int z, int y, int x)
    {
        var grid = SyntheticCases.Grid(5, 5, 5);
        var labels = new byte[125];
        labels[(z * 5 + y) * 5 + x] = 1;
        return SyntheticCases.Prepare("a", new Volume(grid, [.. labels.Select(label => (float)label)]), new LabelVolume(grid, labels));
    }

    private static (float[] Image, byte[] Labels) Extract(SpatialAugmentation change, PreparedCase source, Index3 start)
    {
        var (image, labels) = (new float[125], new byte[125]);
        change.Extract(source, start, Size, image, labels);
        return (image, labels);
    }

    [Fact]
    public void Draw_ManyPatches_TurnsAFifthAndScalesAFifthOfThem()
    {
        const int patches = 20_000;
        var random = new Random(5);
        var (turned, scaled) = (0, new List<double>());
        for (var i = 0; i < patches; i++)
        {
            var map = SpatialAugmentation.Draw(random, new Index3(32, 32, 32), new Vector3D(1, 1, 1)).Map;
            if (map.IsEmpty) continue;
            // A rotation times a scale: the rotation has determinant 1 and is the identity where nothing is turned.
            var determinant = map[0] * (map[4] * map[8] - map[5] * map[7]) - map[1] * (map[3] * map[8] - map[5] * map[6]) + map[2] * (map[3] * map[7] - map[4] * map[6]);
            if (map[1] != 0) turned++;
            if (Math.Abs(determinant - 1) > 1e-9) scaled.Add(Math.Cbrt(determinant));
        }

        var tolerance = 5 * Math.Sqrt(patches * 0.2 * 0.8);
        Assert.Equal(patches * 0.2, turned, tolerance);
        Assert.Equal(patches * 0.2, scaled.Count, tolerance);
        Assert.InRange(scaled.Min(), 0.7, 0.71);
        Assert.InRange(scaled.Max(), 1.39, 1.4);
    }

    [Fact]
    public void Extract_NoChange_IsTheImage()
    {
        var source = OneVoxel(1, 2, 3);
        var (image, labels) = Extract(SpatialAugmentation.None, source, default);
        Assert.Equal(source.Prepared.Input.Voxels, image);
        Assert.Equal(source.Labels.Labels, labels);
    }

    [Fact]
    public void Extract_StartOutside_PadsWithMeanAndBackground()
    {
        var source = OneVoxel(0, 0, 0);
        var (image, labels) = Extract(SpatialAugmentation.None, source, new Index3(-2, -1, -3));
        Assert.Equal(1, labels[(2 * 5 + 1) * 5 + 3]);
        Assert.Equal(0, image[0]);
        Assert.Equal(3 * 4 * 2, image.Count(value => value != 0)); // z-scored, no voxel of the image is 0
    }

    [Fact]
    public void Extract_AngleZero_AgreesWithThePlainCrop()
    {
        var source = OneVoxel(1, 2, 3);
        var plain = Extract(SpatialAugmentation.None, source, new Index3(1, -1, 0));
        var warped = Extract(SpatialAugmentation.Of([0, 0, 0], 1, new Vector3D(1, 1, 1)), source, new Index3(1, -1, 0));
        Assert.Equal(plain.Image, warped.Image);
        Assert.Equal(plain.Labels, warped.Labels);
    }

    [Fact]
    public void Extract_QuarterTurnAboutZ_MovesTheVoxelAroundTheCentre()
    {
        // Offset (y, x) = (0, 1) from the centre; the patch shows at offset o what lay at R·o, so it appears where R·o = (0, 1): o = (1, 0).
        var source = OneVoxel(2, 2, 3);
        var (image, labels) = Extract(SpatialAugmentation.Of([Math.PI / 2, 0, 0], 1, new Vector3D(1, 1, 1)), source, default);
        Assert.Equal((2 * 5 + 3) * 5 + 2, Array.IndexOf(labels, (byte)1));
        Assert.Equal((2 * 5 + 3) * 5 + 2, Array.IndexOf(image, image.Max()));
    }

    [Fact]
    public void Extract_ScaleTwo_HalvesTheDistanceFromTheCentre()
    {
        var (_, labels) = Extract(SpatialAugmentation.Of([0, 0, 0], 2, new Vector3D(1, 1, 1)), OneVoxel(2, 2, 4), default);
        Assert.Equal((2 * 5 + 2) * 5 + 3, Array.IndexOf(labels, (byte)1));
    }

    [Fact]
    public void Draw_ManyDraws_NeverMirrorLeftAndRight()
    {
        var random = new Random(1);
        var source = OneVoxel(2, 2, 4);
        for (var i = 0; i < 300; i++)
        {
            var (_, labels) = Extract(SpatialAugmentation.Draw(random, Size, new Vector3D(1, 1, 1)), source, default);
            var at = Array.IndexOf(labels, (byte)1);
            Assert.True(at < 0 || at % 5 > 2, $"draw {i}: the voxel right of the centre went to column {at % 5}");
        }
    }

    [Theory]
    [InlineData(64, 64, 64, 30, 30, 30)]
    [InlineData(16, 64, 64, 180, 0, 0)] // four times as wide as high: slice by slice
    [InlineData(1, 64, 64, 180, 0, 0)]
    [InlineData(1, 128, 64, 15, 0, 0)]
    [InlineData(64, 16, 64, 0, 180, 0)] // coronal
    [InlineData(320, 256, 16, 0, 0, 180)] // sagittal, such as a spine's
    [InlineData(64, 64, 1, 0, 0, 180)]
    [InlineData(128, 64, 1, 0, 0, 15)]
    public void LargestAngles_OfAPatch_AreTheReferences(int z, int y, int x, double aboutZ, double aboutY, double aboutX)
    {
        var angles = SpatialAugmentation.LargestAngles(new Index3(z, y, x));
        Assert.Equal([aboutZ, aboutY, aboutX], angles.Select(angle => angle * 180 / Math.PI), (a, b) => Math.Abs(a - b) < 1e-9);
    }

    [Theory]
    [InlineData(1, 5, 5)]
    [InlineData(5, 1, 5)]
    [InlineData(5, 5, 1)]
    public void Draw_FlatPatch_NeverLeavesItsSlice(int z, int y, int x)
    {
        var random = new Random(1);
        // The voxel lies two slices beyond, whichever way the slices lie.
        var (size, source) = (new Index3(z, y, x), OneVoxel(2, 2, 2));
        for (var i = 0; i < 200; i++)
        {
            var (image, labels) = (new float[25], new byte[25]);
            SpatialAugmentation.Draw(random, size, new Vector3D(1, 1, 1)).Extract(source, new Index3(0, 0, 0), size, image, labels);
            Assert.DoesNotContain((byte)1, labels);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Draw_FlatPatch_IsScaledInItsPlaneOnly(int across)
    {
        int[] extents = [40, 40, 40];
        extents[across] = 8;
        var (random, scaled) = (new Random(1), 0);
        for (var i = 0; i < 200; i++)
        {
            var map = SpatialAugmentation.Draw(random, new Index3(extents[0], extents[1], extents[2]), new Vector3D(1, 1, 1)).Map;
            if (map.IsEmpty) continue;
            Assert.Equal(1, map[across * 4], 1e-12);
            var area = map[(across + 1) % 3 * 4] * map[(across + 2) % 3 * 4] - map[(across + 1) % 3 * 3 + (across + 2) % 3] * map[(across + 2) % 3 * 3 + (across + 1) % 3];
            if (Math.Abs(area - 1) > 1e-6) scaled++;
        }

        Assert.InRange(scaled, 20, 60); // one in five
    }
}
