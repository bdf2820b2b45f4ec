using System.Buffers;
using System.IO.Compression;

namespace FedSeg.Dicom.Reading;

/// <summary>Undoes Deflated Explicit VR Little Endian, PS3.5 §A.5: everything after the meta group is one raw deflate stream (RFC 1951).</summary>
internal static class InflatedDataSet
{
    private const int ChunkBytes = 64 * 1024;

    /// <exception cref="DicomException">The stream is corrupt, or inflates beyond <see cref="DicomLimits.MaxInflatedBytes"/>.</exception>
    public static MemorySource Of(ByteSource deflated, long start, DicomLimits limits)
    {
        var time = new TimeLimit(limits, limits.MaxParseTime, nameof(DicomLimits.MaxParseTime), deflated.Path);
        using var stream = new DeflateStream(new Tail(deflated, start), CompressionMode.Decompress);
        using var inflated = new MemoryStream();
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            for (int read; (read = stream.Read(chunk)) > 0; time.Check())
            {
                if (inflated.Length + read > limits.MaxInflatedBytes)
                {
                    throw new DicomException(
                        DicomFault.LimitExceeded,
                        $"{deflated.Path}: the deflated data set is larger than {limits.MaxInflatedBytes} bytes. If the file is genuine, "
                        + $"raise {nameof(DicomLimits.MaxInflatedBytes)}.");
                }

                inflated.Write(chunk, 0, read);
            }
        }
        catch (InvalidDataException broken)
        {
            throw new DicomException(DicomFault.Malformed, $"{deflated.Path}: the deflated data set is corrupt; fetch the file again.", broken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }

        return new MemorySource(inflated.GetBuffer().AsMemory(0, (int)inflated.Length), deflated.Path);
    }

    /// <summary>The rest of a source as a stream, read once from front to back.</summary>
    private sealed class Tail(ByteSource source, long position) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(buffer.Length, source.Length - position);
            source.Read(position, buffer[..count]);
            position += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
