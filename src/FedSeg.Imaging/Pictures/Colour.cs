namespace FedSeg.Imaging.Pictures;

/// <summary>A colour, sRGB, 8 bits a channel.</summary>
public readonly record struct Colour(byte Red, byte Green, byte Blue)
{
    /// <summary>Colours that are told apart by most people, also by most who are colour-blind. Okabe and Ito, 2008.</summary>
    public static IReadOnlyList<Colour> OfLabels { get; } =
    [
        new(86, 180, 233), new(230, 159, 0), new(0, 158, 115), new(240, 228, 66), new(204, 121, 167), new(213, 94, 0), new(0, 114, 178),
    ];

    /// <summary>The colour as HTML writes it.</summary>
    public override string ToString() => $"#{Red:x2}{Green:x2}{Blue:x2}";

    /// <summary>Of a share from 0 to 1: black over red and yellow to white.</summary>
    public static Colour OfHeat(double share) => new(Channel(3 * share), Channel(3 * share - 1), Channel(3 * share - 2));

    /// <summary>Of a share from −1 to 1: blue for what speaks against, red for what speaks for.</summary>
    public static Colour OfSign(double share) => share < 0 ? new(30, 110, 255) : new(255, 60, 30);

    /// <summary>This colour, covered by another.</summary>
    /// <param name="other">The one on top.</param>
    /// <param name="opacity">How much of it shows, 0 to 1.</param>
    public Colour Under(Colour other, double opacity) =>
        new(Mix(Red, other.Red, opacity), Mix(Green, other.Green, opacity), Mix(Blue, other.Blue, opacity));

    private static byte Channel(double share) => (byte)Math.Round(255 * Math.Clamp(share, 0, 1));

    private static byte Mix(byte below, byte above, double opacity) => (byte)Math.Round(below + (above - below) * opacity);
}
