using System.Globalization;
using System.Runtime.InteropServices;
using FedSeg.Imaging.Nifti;
using FedSeg.Imaging.Resampling;
using FedSeg.Imaging.Tests.Nifti;
using FedSeg.Imaging.Volumes;
using FedSeg.Testing;

namespace FedSeg.Imaging.Tests.Resampling;

/// <summary>Real CT and MR with their segmentations, resampled here and by scipy.ndimage (Debian: python3-scipy) in double.</summary>
public sealed class ResamplerRealVolumeTests : IDisposable
{
    // Each of three passes rounds to float: 3 · 2^-24 of some 2000 HU.
    private const double Tolerance = 1e-3;

    // Rounding decides where a label has exactly half of the weight.
    private const double ShareOfTies = 1e-4;

    private const string Resize =
        """
        import scipy.ndimage as ndi
        image, labels, out, separate = nib.load(sys.argv[1]), nib.load(sys.argv[2]), sys.argv[3], sys.argv[4] == 'True'
        shape = [int(n) for n in sys.argv[5:8]]
        def zoom(a, size, order): return ndi.zoom(a, np.divide(size, a.shape), order=order, mode='nearest', grid_mode=True)
        def resize(a, order):
            if not separate: return np.clip(zoom(a, shape, order), a.min(), a.max())
            nearest = (2 * np.arange(shape[0]) + 1) * len(a) // (2 * shape[0])
            return np.stack([np.clip(zoom(plane, shape[1:], order), plane.min(), plane.max()) for plane in a])[nearest]
        resize(image.get_fdata().transpose(2, 1, 0), 3).astype('<f4').tofile(out + '.image')
        classes = np.rint(labels.get_fdata()).astype('u1').transpose(2, 1, 0)
        found = np.zeros(shape, 'u1')
        for label in np.unique(classes)[1:]: found[resize((classes == label).astype(float), 1) > 0.5] = label
        found.tofile(out + '.labels')
        """;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    // A separate axis is asked for by slices five times as far apart as the file says.
    [Theory]
    [InlineData("example_ct_sm.nii.gz", "example_seg.nii.gz", false)]
    [InlineData("example_ct_sm.nii.gz", "example_seg.nii.gz", true)]
    [InlineData("example_mr_sm.nii.gz", "example_seg_mr.nii.gz", false)]
    [InlineData("example_mr_sm.nii.gz", "example_seg_mr.nii.gz", true)]
    public void ToSpacing_RealVolume_EqualsSciPy(string imageName, string labelsName, bool separate)
    {
        var data = SharedData.Folder("totalsegmentator_examples");
        var (imagePath, labelsPath) = (Path.Combine(data, imageName), Path.Combine(data, labelsName));
        var (image, labels) = (NiftiReader.ReadVolume(imagePath, cancellationToken: Token), NiftiReader.ReadLabels(labelsPath, cancellationToken: Token));
        var own = image.Grid.SpacingMm;
        var grid = image.Grid with { SpacingMm = separate ? own with { Z = own.X * 5 } : own };
        var target = separate ? new Vector3D(X: own.X * 0.83, Y: own.Y * 1.21, Z: own.X * 3.3) : own * 1.37;

        var resampled = Resampler.ToSpacing(new Volume(grid, image.Voxels), target);
        var resampledLabels = Resampler.ToSpacing(new LabelVolume(grid, labels.Labels), target);

        var (z, y, x) = resampled.Grid.Size;
        string[] shape = [.. new[] { z, y, x }.Select(count => count.ToString(CultureInfo.InvariantCulture))];
        Nibabel.Run(Resize, [imagePath, labelsPath, _folder["scipy"], separate.ToString(), .. shape]);
        var expected = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(_folder["scipy.image"])).ToArray();
        var expectedLabels = File.ReadAllBytes(_folder["scipy.labels"]);
        Assert.Equal(expected.Length, resampled.Voxels.Length);
        Assert.True(expected.Zip(resampled.Voxels, (a, b) => Math.Abs(a - b)).Max() < Tolerance);
        var differing = expectedLabels.Zip(resampledLabels.Labels, (a, b) => a != b).Count(differs => differs);
        Assert.InRange(differing, 0, ShareOfTies * expectedLabels.Length);
    }
}
