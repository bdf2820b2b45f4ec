using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using FedSeg.Federation.Identity;

namespace FedSeg.SecureAggregation.Messages;

/// <summary>What the first byte of a message says it is.</summary>
internal enum MessageKind : byte
{
    Advertisement = 1,
    Roster = 2,
    ShareOffer = 3,
    ShareDelivery = 4,
    SurvivorList = 5,
    Confirmation = 6,
    ConfirmationList = 7,
    Disclosure = 8,
}

/// <summary>
/// Writes a message's fields: fixed lengths, or lengths before what they count; numbers big-endian. One way to write each message.
/// </summary>
internal sealed class MessageWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public MessageWriter(MessageKind kind) => Byte((byte)kind);

    public MessageWriter Byte(byte value)
    {
        _bytes.Write([value]);
        return this;
    }

    public MessageWriter Number(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(_bytes.GetSpan(sizeof(int)), value);
        _bytes.Advance(sizeof(int));
        return this;
    }

    public MessageWriter Bytes(ReadOnlySpan<byte> bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public MessageWriter Counted(ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.GetSpan(sizeof(ushort)), checked((ushort)bytes.Length));
        _bytes.Advance(sizeof(ushort));
        return Bytes(bytes);
    }

    public MessageWriter Digest(Sha256Digest digest) => Bytes(digest.ToBytes());

    public MessageWriter Site(SiteId site) => Counted(Encoding.ASCII.GetBytes(site.ToString()));

    public MessageWriter Count(int count) => Byte(checked((byte)count));

    public byte[] ToBytes() => _bytes.WrittenSpan.ToArray();
}
