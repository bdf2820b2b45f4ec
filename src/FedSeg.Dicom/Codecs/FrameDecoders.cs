using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Codecs;

/// <summary>Which decoder reads which transfer syntax.</summary>
internal static class FrameDecoders
{
    /// <exception cref="DicomException">No decoder, or its native library is missing on this machine.</exception>
    public static IFrameDecoder For(TransferSyntax syntax, string path)
    {
        if (syntax == TransferSyntax.RleLossless)
        {
            return RleDecoder.Instance;
        }

        if (syntax == TransferSyntax.JpegLossless || syntax == TransferSyntax.JpegLosslessSv1)
        {
            return JpegLosslessDecoder.Instance;
        }

        if (syntax == TransferSyntax.Jpeg2000Lossless || syntax == TransferSyntax.Jpeg2000)
        {
            return OpenJpegDecoder.IsAvailable
                ? OpenJpegDecoder.Instance
                : throw new DicomException(DicomFault.CodecMissing, $"{path}: {syntax} needs OpenJPEG, which is not on this machine. Install it: apt-get install libopenjp2-7.");
        }

        throw new DicomException(
            DicomFault.UnsupportedTransferSyntax,
            $"{path}: the transfer syntax {syntax} is not supported. Export the study uncompressed, as JPEG Lossless, JPEG 2000 or RLE.");
    }
}
