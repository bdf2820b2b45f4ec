using FedSeg.Dicom.Pixels;

namespace FedSeg.Dicom.Codecs;

/// <summary>
/// JPEG baseline and extended sequential, Huffman coded, processes 1, 2 and 4 (ITU-T T.81 Annex F): 8 and 12 bits, restart intervals, interleaved or
/// separate scans, subsampled chroma. Samples come out as they were coded: no colour transform, which PhotometricInterpretation leaves to the caller.
/// Of the freedom that T.81 gives in arithmetic it takes what the Independent JPEG Group's library does, and so agrees with DCMTK and GDCM bit for bit.
/// </summary>
internal sealed class JpegDctDecoder : IFrameDecoder
{
    public static JpegDctDecoder Instance { get; } = new();

    public void Decode(ReadOnlyMemory<byte> encoded, PixelLayout layout, Span<byte> values, FrameContext context)
    {
        try
        {
            Decode(new JpegStream(encoded.Span, layout), layout, values, context);
        }
        catch (JpegFormatException broken)
        {
            throw new DicomException(DicomFault.Malformed, $"{context.Path}: JPEG frame: {broken.Message}. The file is corrupt; fetch it again.", broken);
        }
    }

    private static void Decode(JpegStream stream, PixelLayout layout, Span<byte> values, FrameContext context)
    {
        var planes = new JpegPlane?[layout.SamplesPerPixel];
        try
        {
            for (var decoded = 0; decoded < planes.Length;)
            {
                var scan = stream.ReadToScan(lossless: false);
                // The frame header made the process sequential; the scan's spectral selection then has no meaning, and NEMA's own samples have zeros there.
                foreach (var member in scan.Components)
                {
                    ref var plane = ref planes[member.Component.Index];
                    plane = plane is null ? new JpegPlane(member.Component, stream.Components, layout) : throw new JpegFormatException("a component comes twice");
                }

                DecodeScan(ref stream, scan, planes, layout, context);
                decoded += scan.Components.Length;
            }

            foreach (var plane in planes)
            {
                plane!.Upsample(layout, values, context);
            }
        }
        finally
        {
            foreach (var plane in planes)
            {
                plane?.Return();
            }
        }
    }

    /// <summary>One MCU after the other, T.81 §A.2: a block of a lone component, or the blocks of all components that cover the same pixels.</summary>
    private static void DecodeScan(ref JpegStream stream, JpegScan scan, JpegPlane?[] planes, PixelLayout layout, FrameContext context)
    {
        var precision = stream.Precision;
        var blocks = Array.ConvertAll(scan.Components, member => new JpegBlockReader(member, precision));
        var targets = Array.ConvertAll(scan.Components, member => planes[member.Component.Index]!);
        var isLone = blocks.Length == 1;
        var across = isLone ? targets[0].BlocksAcross : JpegPlane.McusAcross(stream.Components, layout);
        var down = isLone ? targets[0].BlocksDown : JpegPlane.McusDown(stream.Components, layout);
        var bits = stream.Bits();
        var untilRestart = stream.RestartInterval;
        for (var y = 0; y < down; y++)
        {
            context.Time.Check();
            for (var x = 0; x < across; x++)
            {
                if (stream.RestartInterval > 0 && untilRestart-- == 0)
                {
                    bits.Restart();
                    untilRestart = stream.RestartInterval - 1;
                    foreach (var block in blocks)
                    {
                        block.Reset();
                    }
                }

                for (var i = 0; i < blocks.Length; i++)
                {
                    var (wide, high) = isLone ? (1, 1) : (targets[i].Horizontal, targets[i].Vertical);
                    for (var block = 0; block < wide * high; block++)
                    {
                        blocks[i].Read(ref bits, targets[i].Block(x * wide + block % wide, y * high + block / wide), targets[i].Stride);
                    }
                }
            }
        }

        stream.Pass(bits);
    }
}
