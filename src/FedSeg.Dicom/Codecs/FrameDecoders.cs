using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Codecs;

/// <summary>Which decoder reads which transfer syntax; the native ones are <see langword="null"/> where a machine lacks their library.</summary>
/// <param name="jpeg2000">JPEG 2000 through OpenJPEG.</param>
/// <param name="openJpegVersion">OpenJPEG reads HTJ2K from 2.5 on.</param>
/// <param name="jpegLs">JPEG-LS through CharLS.</param>
internal sealed class FrameDecoders(IFrameDecoder? jpeg2000, Version? openJpegVersion, IFrameDecoder? jpegLs)
{
    private static readonly Version FirstWithHtj2k = new(2, 5);

    public static FrameDecoders OfThisMachine { get; } = new(
        OpenJpegLibrary.Instance is { } openJpeg ? new OpenJpegDecoder(openJpeg) : null,
        OpenJpegLibrary.Instance?.Version,
        CharlsLibrary.Instance is { } charls ? new CharlsDecoder(charls) : null);

    /// <exception cref="DicomException">No decoder, its native library is missing on this machine, or it is not allowed.</exception>
    public IFrameDecoder For(TransferSyntax syntax, string path, DicomLimits limits) => syntax.Compression switch
    {
        Compression.Rle => RleDecoder.Instance,
        Compression.JpegDct => JpegDctDecoder.Instance,
        Compression.JpegLossless => JpegLosslessDecoder.Instance,
        Compression.JpegLs => jpegLs ?? throw Missing(syntax, path, "CharLS 2", "apt-get install libcharls2"),
        Compression.Jpeg2000 => jpeg2000 ?? throw Missing(syntax, path, "OpenJPEG 2", "apt-get install libopenjp2-7"),
        Compression.Htj2k when !limits.AllowHtj2k => throw new DicomException(
            DicomFault.UnsupportedTransferSyntax,
            $"{path}: {syntax} is not decoded, because a corrupt frame would end the program. Export the study as JPEG 2000 or uncompressed; or, where its "
            + $"origin is trusted, allow it ({DicomLimits.HowToAllowHtj2k})."),
        Compression.Htj2k => jpeg2000 is not null && openJpegVersion >= FirstWithHtj2k
            ? jpeg2000
            : throw Missing(syntax, path, "OpenJPEG 2.5 or newer", "apt-get install libopenjp2-7, from Debian 12 or Ubuntu 24.04 on"),
        Compression.DeflatedFrames => DeflatedFrameDecoder.Instance,
        _ => throw new DicomException(
            DicomFault.UnsupportedTransferSyntax,
            $"{path}: the transfer syntax {syntax} is not supported. Export the study uncompressed, as JPEG Lossless, JPEG 2000 or RLE."),
    };

    private static DicomException Missing(TransferSyntax syntax, string path, string library, string remedy) =>
        new(DicomFault.CodecMissing, $"{path}: {syntax} needs {library}, which is not on this machine. Install it: {remedy}.");
}
