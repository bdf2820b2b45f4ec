using FedSeg.Dicom.Reading;

namespace FedSeg.Dicom.Codecs;

/// <summary>Tells before any pixel is read whether this machine can decode a file.</summary>
public static class CodecAvailability
{
    /// <summary>Does nothing when <paramref name="file"/>'s pixels can be decoded here.</summary>
    /// <exception cref="DicomException">
    /// <see cref="DicomFault.UnsupportedTransferSyntax"/> or <see cref="DicomFault.CodecMissing"/>, naming the syntax and what to do.
    /// </exception>
    public static void Check(DicomFile file)
    {
        if (file.TransferSyntax.IsEncapsulated)
        {
            FrameDecoders.OfThisMachine.For(file.TransferSyntax, file.Path, file.Limits);
        }
    }
}
