using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Nifti;

/// <summary>
/// Where a NIfTI grid lies: sform where it is given, else qform (nifti1.h, "methods" 3 and 2), the same precedence as nibabel and ITK. What
/// is not a grid of right angles is refused.
/// </summary>
internal static class NiftiOrientation
{
    /// <exception cref="InvalidDataException">No orientation, or one that is no grid.</exception>
    public static NiftiAffine Of(NiftiHeader.FieldReader reader, Index3 size, NiftiOptions options)
    {
        var (isQuaternion, isMatrix) = (reader.Int16(252) > 0, reader.Int16(254) > 0);
        return isMatrix ? Checked(Matrix(reader), "srow", reader, options)
            : isQuaternion ? Checked(Quaternion(reader), "quatern", reader, options)
            : options.AllowMissingOrientation ? Checked(Centred(reader, size), "pixdim", reader, options)
            : throw reader.Refuse("sform_code", "and qform_code are 0: the file does not say where left and right are; save it with its "
                + "orientation");
    }

    private static NiftiAffine Matrix(NiftiHeader.FieldReader reader)
    {
        Span<double> m = stackalloc double[12];
        for (var i = 0; i < m.Length; i++) m[i] = reader.Finite("srow", 280 + 4 * i);
        return new NiftiAffine(new(m[0], m[4], m[8]), new(m[1], m[5], m[9]), new(m[2], m[6], m[10]), new(m[3], m[7], m[11]));
    }

    private static NiftiAffine Quaternion(NiftiHeader.FieldReader reader)
    {
        var (b, c, d) = (reader.Finite("quatern_b", 256), reader.Finite("quatern_c", 260), reader.Finite("quatern_d", 264));
        var rest = 1 - (b * b + c * c + d * d);

        // Rounding to float leaves the sum of squares off one by up to three times its precision.
        if (rest < -3 * 1.2e-7)
        {
            throw reader.Refuse("quatern", "is no rotation (longer than 1); the file is corrupt");
        }

        var a = Math.Sqrt(Math.Max(0, rest));
        var spacing = Spacing(reader);
        var handedness = reader.Finite("pixdim[0]", 76) < 0 ? -1 : 1;
        return new NiftiAffine(
            new Vector3D(a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)) * spacing.X,
            new Vector3D(2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)) * spacing.Y,
            new Vector3D(2 * (b * d + a * c), 2 * (c * d - a * b), a * a + d * d - b * b - c * c) * (spacing.Z * handedness),
            new Vector3D(reader.Finite("qoffset_x", 268), reader.Finite("qoffset_y", 272), reader.Finite("qoffset_z", 276)));
    }

    /// <summary>First axis to the left, second to the front, third to the head, centred.</summary>
    private static NiftiAffine Centred(NiftiHeader.FieldReader reader, Index3 size)
    {
        var spacing = Spacing(reader);
        return new NiftiAffine(
            new(-spacing.X, 0, 0),
            new(0, spacing.Y, 0),
            new(0, 0, spacing.Z),
            new((size.X - 1) * spacing.X / 2, -(size.Y - 1) * spacing.Y / 2, -(size.Z - 1) * spacing.Z / 2));
    }

    private static Vector3D Spacing(NiftiHeader.FieldReader reader) =>
        new Vector3D(reader.Finite("pixdim[1]", 80), reader.Finite("pixdim[2]", 84), reader.Finite("pixdim[3]", 88))
            is { X: > 0, Y: > 0, Z: > 0 } spacing
            ? spacing
            : throw reader.Refuse("pixdim", "is not positive; the file is corrupt");

    private static NiftiAffine Checked(NiftiAffine affine, string field, NiftiHeader.FieldReader reader, NiftiOptions options)
    {
        var (i, j, k) = (affine.I.Length, affine.J.Length, affine.K.Length);
        if (!(i > 0 && j > 0 && k > 0))
        {
            throw reader.Refuse(field, "has an axis without length; the file is corrupt");
        }

        double[] cosines = [affine.I.Dot(affine.J) / (i * j), affine.J.Dot(affine.K) / (j * k), affine.I.Dot(affine.K) / (i * k)];
        var shear = cosines.Max(Math.Abs);
        return shear <= options.OrthogonalityTolerance
            ? affine
            : throw reader.Refuse(field, $"has axes that are not at right angles (cosine {shear:0.####}); resample the image onto a grid "
                + "without shear");
    }
}
