using FedSeg.Imaging.Pictures;
using FedSeg.Imaging.Tests.Nifti;
using FedSeg.Testing;

namespace FedSeg.Imaging.Tests.Pictures;

public sealed class PngWriterTests : IDisposable
{
    // Python's own zlib takes the file apart: length, type, content and CRC-32 of each chunk, then the rows.
    private const string TakeApart =
        """
        import zlib, struct
        data = open(sys.argv[1], 'rb').read()
        assert data[:8] == bytes([137, 80, 78, 71, 13, 10, 26, 10])
        at, types, idat = 8, [], b''
        while at < len(data):
            length, kind = struct.unpack('>I4s', data[at:at + 8])
            content = data[at + 8:at + 8 + length]
            assert struct.unpack('>I', data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + content)
            types.append(kind.decode())
            if kind == b'IHDR': width, height, depth, colour = struct.unpack('>IIBB', content[:10])
            if kind == b'IDAT': idat += content
            at += 12 + length
        rows = zlib.decompress(idat)
        print(' '.join(types), width, height, depth, colour, ' '.join(str(b) for b in rows))
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_TwoRows_IsWhatAnotherReaderFinds()
    {
        File.WriteAllBytes(_folder["picture.png"], PngWriter.Write(2, 2, [255, 0, 0, 1, 2, 3, 0, 255, 0, 4, 5, 6]));

        Assert.Equal("IHDR IDAT IEND 2 2 8 2 0 255 0 0 1 2 3 0 0 255 0 4 5 6", Nibabel.Run(TakeApart, _folder["picture.png"]).Trim());
    }

    [Fact]
    public void Write_TooFewBytes_IsRefused() => Assert.Throws<ArgumentException>(() => PngWriter.Write(2, 2, new byte[11]));
}
