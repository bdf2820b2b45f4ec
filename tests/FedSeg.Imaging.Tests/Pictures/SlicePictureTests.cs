using System.Buffers.Binary;
using System.IO.Compression;
using FedSeg.Imaging.Pictures;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Pictures;

public sealed class SlicePictureTests
{
    private static readonly GridGeometry Grid = Grids.Straight(new Index3(2, 3, 4), 5, 1, 1);

    [Fact]
    public void ToPng_SecondSlice_ShowsItsOwnVoxelsInTheWindow()
    {
        var image = new Volume(Grid, [.. new float[12], -10, 0, 50, 100, 100, 100, 100, 200, 0, 25, 50, 75]);

        var (width, height, pixels) = Decode(new SlicePicture(image, 1, (0, 100), leastWidth: 1).ToPng());

        Assert.Equal((4, 3), (width, height));
        Assert.Equal([0, 0, 128, 255, 255, 255, 255, 255, 0, 64, 128, 191], pixels.Select(pixel => (int)pixel.Red));
        Assert.All(pixels, pixel => Assert.True(pixel.Red == pixel.Green && pixel.Green == pixel.Blue));
    }

    [Fact]
    public void ToPng_RowsTwiceAsFarApart_HasSquarePixels()
    {
        var grid = Grids.Straight(new Index3(1, 3, 4), 5, 2, 1);

        var (width, height, _) = Decode(new SlicePicture(new Volume(grid, new float[12]), 0, (0, 1), leastWidth: 10).ToPng());

        // 4 mm by 6 mm, voxels of 1 mm enlarged by the first whole number that gives the wider side 10.
        Assert.Equal((8, 12), (width, height));
    }

    [Fact]
    public void AddContour_Block_DrawsItsRimOnly()
    {
        var labels = new byte[50];
        for (var y = 1; y < 4; y++) labels.AsSpan(25 + 5 * y + 1, 3).Fill(7);
        var grid = Grids.Straight(new Index3(2, 5, 5), 1, 1, 1);
        var colour = new Colour(1, 2, 3);

        var (_, _, pixels) = Decode(
            new SlicePicture(new Volume(grid, new float[50]), 1, (0, 1), leastWidth: 1).AddContour(new LabelVolume(grid, labels), 7, colour).ToPng());

        Assert.Equal([6, 7, 8, 11, 13, 16, 17, 18], Enumerable.Range(0, 25).Where(i => pixels[i] == colour));
    }

    [Fact]
    public void AddHeat_Values_CoverTheMoreTheHigherTheyAre()
    {
        var image = new Volume(Grid, new float[24]);
        var values = new Volume(Grid, [.. new float[12], 0, 0.5f, 1, 2, .. new float[8]]);

        var (_, _, pixels) = Decode(new SlicePicture(image, 1, (0, 1), leastWidth: 1).AddHeat(values, 1).ToPng());

        Assert.Equal(new Colour(0, 0, 0), pixels[0]);
        Assert.True(pixels[1].Red > 0 && pixels[2].Red > pixels[1].Red);
        Assert.Equal(pixels[2], pixels[3]);
    }

    [Fact]
    public void AddSigned_Values_AreRedAboveAndBlueBelowZero()
    {
        var values = new Volume(Grid, [.. new float[12], -1, 0, 1, 0, .. new float[8]]);

        var (_, _, pixels) = Decode(new SlicePicture(new Volume(Grid, new float[24]), 1, (0, 1), leastWidth: 1).AddSigned(values, 1).ToPng());

        Assert.True(pixels[0].Blue > pixels[0].Red && pixels[2].Red > pixels[2].Blue);
        Assert.Equal(new Colour(0, 0, 0), pixels[1]);
    }

    [Fact]
    public void AddContour_LabelsOnAnotherGrid_AreRefused() => Assert.Throws<ArgumentException>(() =>
        new SlicePicture(new Volume(Grid, new float[24]), 0, (0, 1)).AddContour(new LabelVolume(Grid with { OriginMm = default }, new byte[24]), 1, default));

    [Fact]
    public void WindowOf_FlatImage_IsStillAWindow()
    {
        var (black, white) = SlicePicture.WindowOf(new Volume(Grid, new float[24]));

        Assert.True(black < white);
    }

    private static (int Width, int Height, Colour[] Pixels) Decode(byte[] png)
    {
        var (width, height) = (BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)));
        var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(33));
        using var zlib = new ZLibStream(new MemoryStream(png, 41, length), CompressionMode.Decompress);
        using var rows = new MemoryStream();
        zlib.CopyTo(rows);
        var bytes = rows.ToArray();
        return (width, height,
            [.. Enumerable.Range(0, width * height).Select(i => 1 + i / width + 3 * i).Select(at => new Colour(bytes[at], bytes[at + 1], bytes[at + 2]))]);
    }
}
