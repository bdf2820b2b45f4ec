namespace FedSeg.RedTeam.Tests.Images;

/// <summary>
/// One made-up patient's slice: a body with a brighter organ, tissue with a grain of its own, and noise around it. Everything follows from
/// the patient's number.
/// </summary>
/// <param name="Size">Pixels along each edge.</param>
/// <param name="Pixels">Row by row, 0 to 1.</param>
/// <param name="Mask">The organ: 1, else 0.</param>
internal sealed record Slice(int Size, float[] Pixels, byte[] Mask)
{
    private const int Waves = 8;

    public static Slice Of(int size, int patient)
    {
        var chance = new Random(1000 + patient);
        var body = Ellipse(chance, size, 0.38, 0.46, 0.04);
        var organ = Ellipse(chance, size, 0.13, 0.24, 0.16);
        var waves = Enumerable.Range(0, Waves).Select(_ => Wave(chance)).ToArray();
        var (pixels, mask) = (new float[size * size], new byte[size * size]);
        for (var i = 0; i < pixels.Length; i++)
        {
            var (y, x) = (i / size, i % size);
            // Air is not black but grainy, as in a magnet.
            var value = 0.1 + 0.2 * chance.NextDouble();
            if (body(y, x) < 1)
            {
                value = 0.45 + 0.12 * waves.Sum(wave => wave((double)y / size, (double)x / size));
                if (organ(y, x) < 1) (value, mask[i]) = (value + 0.2, 1);
            }

            pixels[i] = (float)Math.Clamp(value, 0, 1);
        }

        return new Slice(size, pixels, mask);
    }

    /// <summary>Mean of many other patients: what anybody knows who never saw this one.</summary>
    public static float[] Mean(int size, int firstPatient, int patients)
    {
        var mean = new float[size * size];
        for (var i = 0; i < patients; i++)
        {
            var slice = Of(size, firstPatient + i).Pixels;
            for (var k = 0; k < mean.Length; k++) mean[k] += slice[k] / patients;
        }

        return mean;
    }

    /// <summary>Tissue of one direction and grain, −1 to 1.</summary>
    private static Func<double, double, double> Wave(Random chance)
    {
        var (sine, cosine) = Math.SinCos(chance.NextDouble() * Math.PI);
        var (cycles, start) = (2 + 3 * chance.NextDouble(), chance.NextDouble());
        return (y, x) => Math.Sin(2 * Math.PI * (cycles * (cosine * x + sine * y) + start));
    }

    /// <summary>Squared distance from the middle of a tilted ellipse, 1 on its edge.</summary>
    private static Func<int, int, double> Ellipse(Random chance, int size, double shortest, double longest, double off)
    {
        double Between(double low, double high) => low + (high - low) * chance.NextDouble();
        var (cy, cx) = (size * (0.5 + Between(-off, off)) - 0.5, size * (0.5 + Between(-off, off)) - 0.5);
        var (a, b) = (size * Between(shortest, longest), size * Between(shortest, longest));
        var (sine, cosine) = Math.SinCos(Between(0, Math.PI));
        return (y, x) =>
        {
            var (u, v) = (cosine * (x - cx) + sine * (y - cy), cosine * (y - cy) - sine * (x - cx));
            return u * u / (a * a) + v * v / (b * b);
        };
    }
}
