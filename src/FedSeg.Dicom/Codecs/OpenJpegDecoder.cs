using System.Buffers.Binary;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>
/// JPEG 2000 Part 1 and, from OpenJPEG 2.5 on, Part 15 (HTJ2K) by the system's OpenJPEG. The image size in the codestream is checked against the DICOM header before native code sees a byte,
/// so that a hostile size can't make it allocate.
/// </summary>
internal sealed class OpenJpegDecoder(OpenJpegLibrary library) : IFrameDecoder
{
    private const int MaxTiles = 4096;

    public void Decode(ReadOnlyMemory<byte> encoded, PixelLayout layout, Span<byte> values, FrameContext context)
    {
        var path = context.Path;
        var start = encoded.Span.IndexOf<byte>([0xFF, 0x4F, 0xFF, 0x51]);
        if (start < 0 || encoded.Length < start + 44)
        {
            throw Broken(path, "no codestream header is there");
        }

        CheckSize(encoded.Span[(start + 4)..], layout, path);
        if (!context.AllowHtj2k && Jpeg2000Header.AsksForHighThroughput(encoded.Span[start..]))
        {
            throw new DicomException(
                DicomFault.UnsupportedTransferSyntax,
                $"{path}: JPEG 2000 frame: its codestream is HTJ2K, which is not decoded, because a corrupt frame would end the program. Export the study "
                + $"uncompressed; or, where its origin is trusted, allow it ({DicomLimits.HowToAllowHtj2k}).");
        }

        // A JP2 wrapper adds colour boxes only, which DICOM tells us to ignore (PS3.5 §A.4.4): the bare codestream is enough.
        if (!library.TryDecode(encoded.Span[start..], layout, context.IsLossy, values))
        {
            throw Broken(path, "OpenJPEG could not decode it, or its components are not what the DICOM header says");
        }

        context.Time.Check();
    }

    /// <summary>The SIZ segment, ITU-T T.800 §A.5.1; <paramref name="siz"/> starts at its length field.</summary>
    private static void CheckSize(ReadOnlySpan<byte> siz, PixelLayout layout, string path)
    {
        var width = (long)Field(siz, 4) - Field(siz, 12);
        var height = (long)Field(siz, 8) - Field(siz, 16);
        var components = BinaryPrimitives.ReadUInt16BigEndian(siz[36..]);
        if (width != layout.Columns || height != layout.Rows || components != layout.SamplesPerPixel)
        {
            throw Broken(path, $"{width}x{height}x{components} is not the {layout.Columns}x{layout.Rows}x{layout.SamplesPerPixel} of the DICOM header");
        }

        long tileWidth = Field(siz, 20), tileHeight = Field(siz, 24);
        if (tileWidth == 0 || tileHeight == 0 || (width / tileWidth + 2) * (height / tileHeight + 2) > MaxTiles)
        {
            throw Broken(path, $"it is cut into more than {MaxTiles} tiles");
        }
    }

    private static uint Field(ReadOnlySpan<byte> siz, int offset) => BinaryPrimitives.ReadUInt32BigEndian(siz[offset..]);

    private static DicomException Broken(string path, string problem) =>
        new(DicomFault.Malformed, $"{path}: JPEG 2000 frame: {problem}. The file is corrupt; fetch it again.");
}
