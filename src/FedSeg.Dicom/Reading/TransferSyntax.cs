namespace FedSeg.Dicom.Reading;

/// <summary>A transfer syntax, PS3.5 §10: how a data set and its pixels are laid out in bytes.</summary>
/// <param name="Uid">Its unique identifier.</param>
/// <param name="Name">The name that operators know.</param>
/// <param name="IsEncapsulated">Pixel data are compressed fragments.</param>
public sealed record TransferSyntax(string Uid, string Name, bool IsEncapsulated)
{
    public static readonly TransferSyntax ImplicitLittleEndian = new("1.2.840.10008.1.2", "Implicit VR Little Endian", false);
    public static readonly TransferSyntax ExplicitLittleEndian = new("1.2.840.10008.1.2.1", "Explicit VR Little Endian", false);
    public static readonly TransferSyntax DeflatedExplicitLittleEndian = new("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", false);
    public static readonly TransferSyntax ExplicitBigEndian = new("1.2.840.10008.1.2.2", "Explicit VR Big Endian", false);
    public static readonly TransferSyntax RleLossless = new("1.2.840.10008.1.2.5", "RLE Lossless", true);
    public static readonly TransferSyntax JpegLossless = new("1.2.840.10008.1.2.4.57", "JPEG Lossless, Process 14", true);
    public static readonly TransferSyntax JpegLosslessSv1 = new("1.2.840.10008.1.2.4.70", "JPEG Lossless, Process 14 SV1", true);
    public static readonly TransferSyntax Jpeg2000Lossless = new("1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", true);
    public static readonly TransferSyntax Jpeg2000 = new("1.2.840.10008.1.2.4.91", "JPEG 2000", true);

    private static readonly Dictionary<string, TransferSyntax> Known = new[]
    {
        ImplicitLittleEndian, ExplicitLittleEndian, DeflatedExplicitLittleEndian, ExplicitBigEndian, RleLossless, JpegLossless, JpegLosslessSv1,
        Jpeg2000Lossless, Jpeg2000,
        new("1.2.840.10008.1.2.4.50", "JPEG Baseline", true),
        new("1.2.840.10008.1.2.4.51", "JPEG Extended", true),
        new("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", true),
        new("1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless", true),
        new("1.2.840.10008.1.2.4.201", "HTJ2K Lossless", true),
        new("1.2.840.10008.1.2.4.202", "HTJ2K Lossless RPCL", true),
        new("1.2.840.10008.1.2.4.203", "HTJ2K", true),
        new("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", true),
    }.ToDictionary(syntax => syntax.Uid, StringComparer.Ordinal);

    /// <summary>The syntax of a UID. One that is not known is taken as encapsulated Explicit VR Little Endian, as PS3.5 §A.4 rules for every syntax since 1993.</summary>
    public static TransferSyntax Of(string uid) => Known.GetValueOrDefault(uid) ?? new TransferSyntax(uid, "unknown", true);

    internal bool IsExplicit => this != ImplicitLittleEndian;

    internal bool IsBigEndian => this == ExplicitBigEndian;

    /// <summary>Name and UID, as an error message gives them.</summary>
    public override string ToString() => $"{Name} ({Uid})";
}
