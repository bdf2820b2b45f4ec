using System.Buffers.Binary;
using System.Text;

namespace FedSeg.Dicom.Tests.Reading;

/// <summary>Data elements written by hand, byte by byte, in any layout and with any lie.</summary>
internal sealed class RawBytes
{
    private readonly List<byte> _bytes = [];

    public byte[] ToArray() => _bytes.ToArray();

    public static RawBytes Part10(string syntax) =>
        new RawBytes().Raw(new byte[128]).Raw("DICM"u8).Explicit(2, 0x10, "UI", Encoding.ASCII.GetBytes(syntax.Length % 2 == 0 ? syntax : syntax + "\0"));

    public RawBytes Raw(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public RawBytes Explicit(ushort group, ushort element, string vr, ReadOnlySpan<byte> value) => ExplicitHeader(group, element, vr, (uint)value.Length).Raw(value);

    public RawBytes ExplicitHeader(ushort group, ushort element, string vr, uint length)
    {
        UInt16(group).UInt16(element).Raw(Encoding.ASCII.GetBytes(vr));
        return vr is "OB" or "OW" or "SQ" or "UN" or "UT" or "UC" ? UInt16(0).UInt32(length) : UInt16((ushort)length);
    }

    public RawBytes Implicit(ushort group, ushort element, ReadOnlySpan<byte> value) => Header(group, element, (uint)value.Length).Raw(value);

    /// <summary>A tag and a four-byte length: an Implicit VR element, an item or a delimiter.</summary>
    public RawBytes Header(ushort group, ushort element, uint length) => UInt16(group).UInt16(element).UInt32(length);

    private RawBytes UInt16(ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        return Raw(bytes);
    }

    private RawBytes UInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Raw(bytes);
    }
}
