using System.Globalization;
using FedSeg.Imaging.Cropping;
using FedSeg.Imaging.Nifti;
using FedSeg.Imaging.Tests.Nifti;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;
using FedSeg.Testing;

namespace FedSeg.Imaging.Tests.Cropping;

public sealed class NonzeroMaskTests : IDisposable
{
    private const string FillHoles =
        """
        import scipy.ndimage as ndi
        image = nib.load(sys.argv[1]).get_fdata().astype('f4').transpose(2, 1, 0)
        body = image >= float(sys.argv[2])
        filled = ndi.binary_fill_holes(body)
        filled.astype('u1').tofile(sys.argv[3])
        where = np.argwhere(body)
        print(*where.min(0), *(where.max(0) + 1 - where.min(0)), int(filled.sum() - body.sum()))
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Of_SingleSlice_HasNoHoles()
    {
        float[] ring = [1, 1, 1, 1, 0, 1, 1, 1, 1];

        // Above and below it is the outside.
        Assert.False(NonzeroMask.Of(new Volume(Grids.Straight(new Index3(1, 3, 3), 1, 1, 1), ring))[4]);
    }

    [Fact]
    public void Of_HollowBox_IsFilledAndAPiercedOneIsNot()
    {
        var hollow = Shell();
        Assert.Equal(125, NonzeroMask.Of(hollow).Count(inside => inside));

        hollow.Voxels[(3 * 7 + 3) * 7 + 1] = 0; // the middle of the side x = 1
        Assert.Equal(97, NonzeroMask.Of(hollow).Count(inside => inside));
    }

    [Fact]
    public void Of_ImageWithoutZeros_IsAll() =>
        Assert.DoesNotContain(false, NonzeroMask.Of(new Volume(Grids.Straight(new Index3(2, 2, 2), 1, 1, 1), [1, 1, 1, 1, 1, 1, 1, 1])));

    // The body cut free of everything darker, as skull-stripping would: lungs, bowel and ventricles become holes.
    [Theory]
    [InlineData("example_ct_sm.nii.gz", -200)]
    [InlineData("example_mr_sm.nii.gz", 60)]
    public void Of_RealVolume_EqualsSciPy(string name, double least)
    {
        var path = Path.Combine(SharedData.Folder("totalsegmentator_examples"), name);
        var image = NiftiReader.ReadVolume(path, cancellationToken: TestContext.Current.CancellationToken);
        var body = new Volume(image.Grid, [.. image.Voxels.Select(value => value >= least ? value == 0 ? 1e-3f : value : 0)]);

        var box = CropBox.OfNonzero(body);
        var mask = NonzeroMask.Of(body);
        var maskOfPart = NonzeroMask.Of(box.Cut(body));

        int[] said = [.. Nibabel.Run(FillHoles, path, least.ToString(CultureInfo.InvariantCulture), _folder["mask"]).Split(' ').Select(int.Parse)];
        Assert.Equal(new Index3(said[3], said[4], said[5]), box.Part.Size);
        Assert.Equal(image.Grid.PositionMm(said[0], said[1], said[2]), box.Part.OriginMm);
        Assert.True(said[6] > 100, $"Only {said[6]} voxels lie in holes: the volume shows nothing.");
        var expected = File.ReadAllBytes(_folder["mask"]);
        Assert.Equal(expected, mask.Select(inside => inside ? (byte)1 : (byte)0));
        // Cropping first and filling then is the same.
        var filled = new LabelVolume(image.Grid, expected);
        Assert.Equal(box.Cut(filled).Labels, maskOfPart.Select(inside => inside ? (byte)1 : (byte)0));
    }

    /// <summary>A shell of ones, 5 voxels wide and hollow, in the middle of 7 zeros each way.</summary>
    private static Volume Shell()
    {
        var voxels = new float[7 * 7 * 7];
        for (var i = 0; i < voxels.Length; i++)
        {
            int[] at = [i / 49, i / 7 % 7, i % 7];
            if (at.All(k => k is >= 1 and <= 5) && at.Any(k => k is 1 or 5)) voxels[i] = 1;
        }

        return new Volume(Grids.Straight(new Index3(7, 7, 7), 1, 1, 1), voxels);
    }
}
