namespace FedSeg.Dicom.Codecs;

/// <summary>Finds out about a JPEG 2000 codestream before native code sees it.</summary>
internal static class Jpeg2000Header
{
    private const byte HighThroughput = 0x40; // Bit 6 of the code-block style, ITU-T T.814 §A.4.

    /// <summary>
    /// Some coding style segment (COD or COC, ITU-T T.800 §A.6.1 and §A.6.2) asks for HTJ2K code-blocks, whatever the transfer syntax says. Every place is
    /// looked at, not only where a sound header would have one, since a corrupt stream may lead OpenJPEG anywhere; by chance compressed bits look like
    /// this once in some 10^11 bytes.
    /// </summary>
    public static bool AsksForHighThroughput(ReadOnlySpan<byte> codestream)
    {
        for (int at; (at = codestream.IndexOf((byte)0xFF)) >= 0;)
        {
            codestream = codestream[at..];
            if (codestream is [_, 0x52, 0, _, _, _, _, _, _, var levels, var width, var height, var style, ..] && IsStyle(levels, width, height, style)
                || codestream is [_, 0x53, 0, _, _, _, var ownLevels, var ownWidth, var ownHeight, var ownStyle, ..] && IsStyle(ownLevels, ownWidth, ownHeight, ownStyle))
            {
                return true;
            }

            codestream = codestream[1..];
        }

        return false;
    }

    private static bool IsStyle(byte levels, byte width, byte height, byte style) => levels <= 32 && width <= 8 && height <= 8 && (style & HighThroughput) != 0;
}
