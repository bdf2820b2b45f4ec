namespace FedSeg.Dicom.Reading;

/// <summary>A transfer syntax, PS3.5 §10: how a data set and its pixels are laid out in bytes.</summary>
/// <param name="Uid">Its unique identifier.</param>
/// <param name="Name">The name that operators know.</param>
public sealed record TransferSyntax(string Uid, string Name)
{
    public static readonly TransferSyntax ImplicitLittleEndian = new("1.2.840.10008.1.2", "Implicit VR Little Endian");
    public static readonly TransferSyntax ExplicitLittleEndian = new("1.2.840.10008.1.2.1", "Explicit VR Little Endian");
    public static readonly TransferSyntax DeflatedExplicitLittleEndian = new("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian");
    public static readonly TransferSyntax ExplicitBigEndian = new("1.2.840.10008.1.2.2", "Explicit VR Big Endian");

    private static readonly Dictionary<string, TransferSyntax> Known = new[]
    {
        ImplicitLittleEndian, ExplicitLittleEndian, DeflatedExplicitLittleEndian, ExplicitBigEndian,
        Compressed("1.2.840.10008.1.2.5", "RLE Lossless", Compression.Rle),
        Compressed("1.2.840.10008.1.2.4.50", "JPEG Baseline", Compression.JpegDct, isLossy: true),
        Compressed("1.2.840.10008.1.2.4.51", "JPEG Extended", Compression.JpegDct, isLossy: true),
        Compressed("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Process 6 and 8, retired", Compression.None),
        Compressed("1.2.840.10008.1.2.4.55", "JPEG Full Progression, Process 10 and 12, retired", Compression.None),
        Compressed("1.2.840.10008.1.2.4.57", "JPEG Lossless, Process 14", Compression.JpegLossless),
        Compressed("1.2.840.10008.1.2.4.70", "JPEG Lossless, Process 14 SV1", Compression.JpegLossless),
        Compressed("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", Compression.JpegLs),
        Compressed("1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless", Compression.JpegLs, isLossy: true),
        Compressed("1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", Compression.Jpeg2000),
        Compressed("1.2.840.10008.1.2.4.91", "JPEG 2000", Compression.Jpeg2000, isLossy: true),
        Compressed("1.2.840.10008.1.2.4.201", "HTJ2K Lossless", Compression.Htj2k),
        Compressed("1.2.840.10008.1.2.4.202", "HTJ2K Lossless RPCL", Compression.Htj2k),
        Compressed("1.2.840.10008.1.2.4.203", "HTJ2K", Compression.Htj2k, isLossy: true),
        Compressed("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", Compression.DeflatedFrames),
    }.ToDictionary(syntax => syntax.Uid, StringComparer.Ordinal);

    /// <summary>Pixel data are compressed fragments.</summary>
    public bool IsEncapsulated { get; private init; }

    /// <summary>How the fragments are compressed; <see cref="Compression.None"/> also for a way that nothing here decodes.</summary>
    internal Compression Compression { get; private init; }

    /// <summary>Pixels may differ from those that were acquired.</summary>
    internal bool IsLossy { get; private init; }

    /// <summary>Whether <see cref="Of"/> knows the syntax, rather than takes it for what every newer one is.</summary>
    internal static bool IsKnown(string uid) => Known.ContainsKey(uid);

    internal bool IsExplicit => this != ImplicitLittleEndian;

    internal bool IsBigEndian => this == ExplicitBigEndian;

    /// <summary>The syntax of a UID. One that is not known is taken as encapsulated Explicit VR Little Endian, as PS3.5 §A.4 rules for every syntax since 1993.</summary>
    public static TransferSyntax Of(string uid) => Known.GetValueOrDefault(uid) ?? Compressed(uid, "unknown", Compression.None);

    /// <summary>Name and UID, as an error message gives them.</summary>
    public override string ToString() => $"{Name} ({Uid})";

    private static TransferSyntax Compressed(string uid, string name, Compression compression, bool isLossy = false) =>
        new(uid, name) { IsEncapsulated = true, Compression = compression, IsLossy = isLossy };
}

/// <summary>Families of compression, each with one decoder.</summary>
internal enum Compression
{
    None,
    Rle,
    JpegDct,
    JpegLossless,
    JpegLs,
    Jpeg2000,
    Htj2k,
    DeflatedFrames,
}
