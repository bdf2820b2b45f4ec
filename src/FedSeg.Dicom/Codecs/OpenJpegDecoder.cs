using System.Buffers.Binary;
using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>
/// JPEG 2000 Part 1 by the system's OpenJPEG. The image size in the codestream is checked against the DICOM header before native code sees a byte,
/// so that a hostile size can't make it allocate.
/// </summary>
internal sealed class OpenJpegDecoder : IFrameDecoder
{
    private const int MaxTiles = 4096;

    public static OpenJpegDecoder Instance { get; } = new();

    /// <summary>The library is on this machine.</summary>
    public static bool IsAvailable => OpenJpegLibrary.Instance is not null;

    public void Decode(ReadOnlyMemory<byte> encoded, PixelLayout layout, Span<byte> values, string path)
    {
        var start = encoded.Span.IndexOf<byte>([0xFF, 0x4F, 0xFF, 0x51]);
        if (start < 0 || encoded.Length < start + 44)
        {
            throw Broken(path, "no codestream header is there");
        }

        CheckSize(encoded.Span[(start + 4)..], layout, path);
        var library = OpenJpegLibrary.Instance ?? throw new InvalidOperationException("OpenJPEG was not checked for before decoding.");
        // A JP2 wrapper adds colour boxes only, which DICOM tells us to ignore (PS3.5 §A.4.4): the bare codestream is enough.
        if (!library.TryDecode(encoded.Span[start..], layout, values))
        {
            throw Broken(path, "OpenJPEG could not decode it, or its components are not what the DICOM header says");
        }
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
