using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>Decodes one compressed frame of one family of transfer syntaxes. A new codec is a new implementation and one line in <see cref="FrameDecoders"/>.</summary>
internal interface IFrameDecoder
{
    /// <summary>Fills <paramref name="values"/> with exactly one frame of stored values, little-endian and native width.</summary>
    /// <exception cref="DicomException">The bytes are corrupt or disagree with <paramref name="layout"/>, or the time is over.</exception>
    void Decode(ReadOnlyMemory<byte> encoded, PixelLayout layout, Span<byte> values, FrameContext context);
}
