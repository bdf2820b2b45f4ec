namespace FedSeg.Imaging.Resampling;

/// <summary>
/// Interpolating cubic B-spline along lines whose edge values go on for ever (SciPy's mode "nearest", which pads 12 voxels to the same end).
/// Source: Unser, "Splines: a perfect fit for signal and image processing", IEEE SPM 1999, box 2; the sums at both ends are taken in closed form.
/// </summary>
internal static class CubicSpline
{
    /// <summary>Coefficients needed beyond either end of a line, because new centres reach half a voxel out.</summary>
    public const int Margin = 2;

    private static readonly double Pole = Math.Sqrt(3) - 2;

    /// <summary>The four basis values at a fraction <paramref name="f"/> in [0, 1) beyond the second tap.</summary>
    public static void Weights(double f, Span<double> weights)
    {
        var g = 1 - f;
        weights[0] = g * g * g / 6;
        weights[1] = 2.0 / 3 - f * f * (2 - f) / 2;
        weights[2] = 2.0 / 3 - g * g * (2 - g) / 2;
        weights[3] = f * f * f / 6;
    }

    /// <summary>
    /// Turns samples into coefficients in place: <paramref name="lines"/> is [<see cref="Margin"/> + length + <see cref="Margin"/>, lanes], one line
    /// a lane, the samples in the middle rows; the rows of the margin are filled.
    /// </summary>
    public static void ToCoefficients(Span<double> lines, int length, int lanes)
    {
        var z = Pole;
        var last = (Margin + length - 1) * lanes;
        for (var lane = 0; lane < lanes; lane++)
        {
            var first = Margin * lanes + lane;
            var before = 6 * lines[first] / (1 - z);
            var after = 6 * lines[last + lane] / (1 - z);

            var forward = before;
            for (var i = first; i <= last + lane; i += lanes)
            {
                forward = 6 * lines[i] + z * forward;
                lines[i] = forward;
            }

            // Past the end the forward pass decays to its limit, so the backward pass has a closed form there.
            var steady = after / (1 - z);
            var decaying = (forward - after) / (1 - z * z);
            lines[last + lane + 2 * lanes] = -z * (steady + z * z * decaying);
            lines[last + lane + lanes] = -z * (steady + z * decaying);
            var backward = -z * (steady + decaying);
            lines[last + lane] = backward;
            for (var i = last + lane - lanes; i >= first; i -= lanes)
            {
                backward = z * (backward - lines[i]);
                lines[i] = backward;
            }

            for (var i = first - lanes; i >= 0; i -= lanes)
            {
                backward = z * (backward - before);
                lines[i] = backward;
            }
        }
    }
}
