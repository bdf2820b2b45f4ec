namespace FedSeg.Imaging.Phantoms;

/// <summary>
/// A seeded generator (SplitMix64, Steele et al. 2014) and noise made of +, -, ·, / and square roots only: IEEE 754 fixes those to the last bit,
/// so phantoms are the same on every machine, which sines and logarithms are not.
/// </summary>
internal sealed class PhantomChance(ulong seed)
{
    private ulong _state = seed;

    public static PhantomChance Of(string name) => new(BitConverter.ToUInt64(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name))));

    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>Uniform in [low, high).</summary>
    public double Between(double low, double high) => low + (high - low) * Unit(Next());

    /// <summary>Mean 0, variance 1: the sum of twelve uniforms less six.</summary>
    public double Normal()
    {
        var sum = -6.0;
        for (var i = 0; i < 12; i++)
        {
            sum += Unit(Next());
        }

        return sum;
    }

    /// <summary>Smooth noise in [-1, 1] with features of size 1, fixed by <paramref name="field"/>: values at whole points, blended smoothly between.</summary>
    public static double Smooth(ulong field, double x, double y, double z)
    {
        double fx = Math.Floor(x), fy = Math.Floor(y), fz = Math.Floor(z);
        double tx = Ease(x - fx), ty = Ease(y - fy), tz = Ease(z - fz);
        var sum = 0.0;
        for (var corner = 0; corner < 8; corner++)
        {
            int dx = corner & 1, dy = (corner >> 1) & 1, dz = corner >> 2;
            var weight = (dx == 1 ? tx : 1 - tx) * (dy == 1 ? ty : 1 - ty) * (dz == 1 ? tz : 1 - tz);
            sum += weight * Lattice(field, (long)fx + dx, (long)fy + dy, (long)fz + dz);
        }

        return sum;
    }

    private static double Ease(double t) => t * t * (3 - 2 * t);

    private static double Lattice(ulong field, long x, long y, long z) =>
        2 * Unit(Mix(Mix(Mix(field + (ulong)x * 0x9E3779B97F4A7C15) + (ulong)y * 0xC2B2AE3D27D4EB4F) + (ulong)z * 0x165667B19E3779F9)) - 1;

    private static double Unit(ulong bits) => (bits >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
