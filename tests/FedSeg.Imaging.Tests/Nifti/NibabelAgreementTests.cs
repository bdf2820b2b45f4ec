using FedSeg.Imaging.Nifti;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;
using FedSeg.Testing;

namespace FedSeg.Imaging.Tests.Nifti;

/// <summary>The same files read and written here and by nibabel: voxels exactly equal, affine within 1e-4 mm.</summary>
public sealed class NibabelAgreementTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReadVolume_EveryDatatypeByteOrderAndScaling_AgreesWithNibabel()
    {
        Nibabel.Run(
            """
            affine = np.array([[-0.8, 0.1, 0, 12], [0.1, 0.8, 0, -7], [0, 0, 2.5, 31], [0, 0, 0, 1.0]])
            for kind in 'u1 i1 u2 i2 u4 i4 u8 i8 f4 f8'.split():
                for order in '<>':
                    for slope, inter in ((1, 0), (0.25, -3), (float('nan'), float('nan')), (0, 5)):
                        header = nib.Nifti1Header(endianness=order)
                        header.set_data_dtype(np.dtype(order + kind))
                        low = 0 if kind[0] == 'u' else -60
                        stored = (np.arange(5 * 4 * 3).reshape(5, 4, 3) * 2 + low).astype(order + kind)
                        image = nib.Nifti1Image(stored, affine, header)
                        image.header['scl_slope'], image.header['scl_inter'] = slope, inter
                        data = image.header.binaryblock
                        name = f"{sys.argv[1]}/{kind}{'le' if order == '<' else 'be'}{slope}.nii"
                        header = image.header.copy()
                        header['vox_offset'] = 352
                        raw = bytearray(header.binaryblock + b'\0\0\0\0' + stored.tobytes(order='F'))
                        open(name, 'wb').write(raw)
            """,
            _folder[[]]);
        var paths = Directory.GetFiles(_folder[[]], "*.nii").Order(StringComparer.Ordinal).ToArray();

        Assert.Equal(80, paths.Length);
        AssertSame(paths, Nibabel.Load(paths));
    }

    [Fact]
    public void ReadVolume_EveryOrientationByMatrixAndQuaternion_AgreesWithNibabel()
    {
        Nibabel.Run(
            """
            from nibabel.eulerangles import euler2mat
            from itertools import product
            data = np.arange(6 * 5 * 4, dtype=np.int16).reshape(6, 5, 4)
            number = 0
            for angles, flips in product(((0, 0, 0), (0.3, -0.7, 1.1), (3.1, 0.2, -2.9), (np.pi / 2, 0, 0), (np.pi, 0, 0), (0, np.pi, 0)), product((-1, 1), repeat=3)):
                affine = np.eye(4)
                affine[:3, :3] = euler2mat(*angles) @ np.diag(np.array([0.7, 1.3, 3.1]) * flips)
                affine[:3, 3] = (-120.5, 33.25, 870.125)
                for sform, qform in ((1, 0), (0, 1), (2, 1)):
                    image = nib.Nifti1Image(data, None)
                    image.set_sform(affine, sform)
                    image.set_qform(affine, qform)
                    nib.save(image, f'{sys.argv[1]}/{number:03}.nii.gz')
                    number += 1
            """,
            _folder[[]]);
        var paths = Directory.GetFiles(_folder[[]], "*.nii.gz").Order(StringComparer.Ordinal).ToArray();

        Assert.Equal(144, paths.Length);
        AssertSame(paths, Nibabel.Load(paths));
    }

    [Fact]
    public void ReadVolume_RealImagesAndLabels_AgreesWithNibabel()
    {
        var paths = Directory.GetFiles(SharedData.Folder("totalsegmentator_examples"), "*.nii.gz").Select(path =>
        {
            var copy = _folder[Path.GetFileName(path)];
            File.Copy(path, copy);
            return copy;
        }).ToArray();

        Assert.Equal(4, paths.Length);
        AssertSame(paths, Nibabel.Load(paths));
        var organs = NiftiReader.ReadLabels(_folder["example_seg.nii.gz"], cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(38634, organs.Labels.Count(label => label == 5));
    }

    [Theory]
    [InlineData(".nii")]
    [InlineData(".nii.gz")]
    public void Write_ObliqueAndLeftHandedGrids_IsReadByNibabelWithBothForms(string extension)
    {
        // A turned frame, and the same with its slices running the other way.
        var directions = new AxisDirections(new(0.36, -0.48, 0.8), new(-0.48, 0.64, 0.6), new(0.8, 0.6, 0));
        var origin = new Vector3D(-311.25, 220.5, 1009.75);
        GridGeometry right = new(new Index3(3, 4, 5), Grids.SpacingMm(3, 0.7, 1.1), origin, directions);
        GridGeometry left = right with { Directions = directions with { Slice = directions.Slice * -1 } };
        var paths = new List<string>();
        foreach (var grid in new[] { right, left })
        {
            var whole = Enumerable.Range(-30, grid.VoxelCount).Select(i => (float)i * 7).ToArray();
            string Name(string kind) => _folder[$"{(grid == left ? "left" : "right")}-{kind}{extension}"];
            NiftiWriter.Write(Name("whole"), new Volume(grid, whole));
            NiftiWriter.Write(Name("fraction"), new Volume(grid, [.. whole.Select(value => value / 3)]));
            NiftiWriter.Write(Name("labels"), new LabelVolume(grid, [.. whole.Select((_, i) => (byte)(i * 4))]));
            paths.AddRange([Name("whole"), Name("fraction"), Name("labels")]);
        }

        var loaded = Nibabel.Load([.. paths]);

        AssertSame([.. paths], loaded);
        for (var i = 0; i < paths.Count; i++)
        {
            AssertNear(NiftiAffine.Of(i < 3 ? right : left).ToRows(), loaded[i].Affine, paths[i]);
        }

        var types = Nibabel.Run(
            """
            for path in sys.argv[1:]:
                image = nib.load(path)
                assert np.allclose(image.get_sform(), image.get_qform(), atol=1e-4, rtol=0), path
                assert image.header['sform_code'] == 1 and image.header['qform_code'] == 1
                print(image.get_data_dtype())
            """,
            [.. paths]);
        Assert.Equal("int16 float32 uint8 int16 float32 uint8", string.Join(' ', types.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    private static void AssertSame(string[] paths, IReadOnlyList<(double[][] Affine, float[] Voxels)> expected)
    {
        for (var i = 0; i < paths.Length; i++)
        {
            var volume = NiftiReader.ReadVolume(paths[i], cancellationToken: TestContext.Current.CancellationToken);
            AssertNear(expected[i].Affine, NiftiAffine.Of(volume.Grid).ToRows(), paths[i]);
            Assert.True(expected[i].Voxels.AsSpan().SequenceEqual(volume.Voxels), paths[i]);
        }
    }

    private static void AssertNear(double[][] expected, double[][] actual, string path)
    {
        var worst = expected.SelectMany((row, r) => row.Select((value, c) => Math.Abs(value - actual[r][c]))).Max();
        Assert.True(worst < 1e-4, $"{path}: affine off by {worst}");
    }
}
