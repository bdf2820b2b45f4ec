using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Phantoms;

/// <summary>How one hospital's scanner differs from the others': the domain shift that a federation has to learn over.</summary>
/// <param name="Site">The hospital's folder.</param>
/// <param name="SpacingMm">Voxel spacing; X and Y lie in the slice.</param>
/// <param name="Gain">Stored value of a signal of 1.</param>
/// <param name="Noise">Standard deviation of the noise, as a part of a signal of 1.</param>
/// <param name="Bias">Strength of the smooth bias field: the signal changes by up to this part across the image.</param>
/// <param name="Contrast">Bends the signal curve: v + contrast · v · (1 - v).</param>
/// <param name="Manufacturer">What the header says.</param>
internal sealed record PhantomScanner(string Site, Vector3D SpacingMm, double Gain, double Noise, double Bias, double Contrast, string Manufacturer)
{
    private static readonly PhantomScanner[] Known =
    [
        new("north", new Vector3D(1, 1, 1), 600, 0.025, 0.10, 0.0, "Canary Scanners North"),
        new("east", new Vector3D(1.0, 1.2, 1.0), 1400, 0.045, 0.25, 0.45, "Canary Scanners East"),
        new("south", new Vector3D(1, 1, 1.5), 350, 0.035, 0.40, -0.35, "Canary Scanners South"),
        new("west", new Vector3D(1.1, 1.1, 1.2), 900, 0.060, 0.30, 0.25, "Canary Scanners West"),
    ];

    public static PhantomScanner Of(int index, int seed)
    {
        if (index < Known.Length)
        {
            return Known[index];
        }

        var chance = PhantomChance.Of($"scanner/{seed}/{index}");
        return new PhantomScanner(
            $"site-{(char)('a' + index)}",
            new Vector3D(chance.Between(0.9, 1.2), chance.Between(0.9, 1.2), chance.Between(1, 1.6)),
            chance.Between(300, 1500),
            chance.Between(0.02, 0.06),
            chance.Between(0.1, 0.4),
            chance.Between(-0.4, 0.5),
            "Canary Scanners");
    }
}
