namespace FedSeg.Imaging.Tests.Resampling;

/// <summary>
/// Cubic resampling by SciPy 1.10.1 in double, made once with:
/// <code>
/// def resize(a, shape):
///     out = ndi.zoom(a, np.divide(shape, a.shape), order=3, mode='nearest', grid_mode=True)
///     return np.clip(out, a.min(), a.max())
/// def image(*size):
///     z, y, x = np.indices(size)
///     return ((7*z*z + 3*y*y*y + 5*x + 11*y*x*z) % 17).astype(float)
/// Cubic = resize(image(4,5,6), (3,7,4))
/// CubicInPlanes = np.stack([resize(p, (4,6)) for p in image(2,3,4) * np.array([1,10]).reshape(2,1,1)])
/// </code>
/// </summary>
internal static class SciPyZoom
{
    public static readonly float[] Cubic =
    [
        1.727227f, 6.786996f, 12.361193f, 7.581601f, 2.724683f, 11.969911f, 5.244469f, 8.003261f,
        5.907424f, 10.696169f, 1.144109f, 11.197435f, 9.628913f, 1.521683f, 6.884391f, 13.587071f,
        9.902701f, 2.085820f, 12.911484f, 8.103642f, 7.796065f, 9.351878f, 9.124834f, 7.466523f,
        6.064858f, 14.765656f, 2.087568f, 11.290533f, 11.882480f, 4.454268f, 8.501547f, 10.293851f,
        12.170557f, 3.149483f, 8.203109f, 8.436219f, 11.886595f, 4.101282f, 8.602337f, 8.398023f,
        9.294088f, 8.198081f, 10.491334f, 9.460023f, 4.896469f, 10.800996f, 12.585283f, 5.213383f,
        8.542519f, 11.655209f, 10.260560f, 3.208430f, 15.227234f, 11.731170f, 6.575309f, 4.365160f,
        9.330199f, 3.773982f, 12.203033f, 5.271706f, 12.436223f, 3.077896f, 11.762380f, 5.282326f,
        9.491215f, 4.525532f, 11.288194f, 4.706551f, 2.405561f, 9.014472f, 12.566176f, 3.800874f,
        6.912325f, 12.184812f, 15.710927f, 3.908096f, 6.668165f, 8.462125f, 10.631767f, 4.808522f,
        1.329944f, 3.046127f, 2.944383f, 5.529960f,
    ];

    public static readonly float[] CubicInPlanes =
    [
        0.000000f, 2.076138f, 5.672545f, 8.645962f, 13.109471f, 15.000000f,
        1.306558f, 3.111006f, 8.070477f, 13.209919f, 9.981555f, 4.800049f,
        4.373548f, 7.128530f, 10.258579f, 9.637763f, 4.579978f, 0.349007f,
        6.508747f, 11.185902f, 10.634083f, 0.546075f, 0.861359f, 6.278335f,
        61.746834f, 109.522508f, 106.733676f, 8.108192f, 7.151764f, 56.490866f,
        82.839387f, 98.167373f, 98.518852f, 66.629220f, 55.278537f, 60.622104f,
        119.763733f, 101.084098f, 73.442069f, 59.882146f, 70.620713f, 84.687842f,
        140.000000f, 116.136203f, 49.871898f, 0.000000f, 41.940254f, 111.060092f,
    ];

    public static float[] Image(int slices, int rows, int columns)
    {
        var voxels = new List<float>();
        for (var z = 0; z < slices; z++)
        {
            for (var y = 0; y < rows; y++)
            {
                for (var x = 0; x < columns; x++) voxels.Add((7 * z * z + 3 * y * y * y + 5 * x + 11 * y * x * z) % 17);
            }
        }

        return [.. voxels];
    }
}
