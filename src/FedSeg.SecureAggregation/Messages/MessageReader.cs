using System.Buffers.Binary;
using System.Text;
using FedSeg.Federation.Identity;

namespace FedSeg.SecureAggregation.Messages;

/// <summary>
/// Reads a message's fields from bytes that nobody has checked. Past the end, or at a field that is impossible, everything that follows is
/// empty and the message is not <see cref="Complete"/>.
/// </summary>
internal ref struct MessageReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;
    private bool _failed;

    /// <summary>Whether every field was there and nothing follows.</summary>
    public readonly bool Complete => !_failed && _rest.IsEmpty;

    /// <summary>Whether every field so far was there.</summary>
    public readonly bool Sound => !_failed;

    public byte Byte() => Take(1) is [var value] ? value : (byte)0;

    public int Number() => Take(sizeof(int)) is { Length: sizeof(int) } field ? BinaryPrimitives.ReadInt32BigEndian(field) : 0;

    public byte[] Bytes(int length) => Take(length).ToArray();

    /// <summary>Bytes after their own length, 16 bits.</summary>
    public byte[] Counted(int most)
    {
        var length = Take(sizeof(ushort)) is { Length: sizeof(ushort) } field ? BinaryPrimitives.ReadUInt16BigEndian(field) : 0;
        if (length > most) _failed = true;
        return Bytes(length);
    }

    public Sha256Digest Digest() => Take(32) is { Length: 32 } field ? Sha256Digest.FromHash(field) : Fail<Sha256Digest>();

    public SiteId Site() => SiteId.TryParse(Encoding.ASCII.GetString(Counted(most: 32)), null, out var site) ? site : Fail<SiteId>();

    /// <summary>Fails unless the next byte names the message.</summary>
    public void Kind(MessageKind kind)
    {
        if (Byte() != (byte)kind) _failed = true;
    }

    /// <summary>How many entries follow.</summary>
    public int Count(int most)
    {
        var count = Byte();
        if (count <= most) return _failed ? 0 : count;
        _failed = true;
        return 0;
    }

    /// <summary>Fails unless places of sites come in their order, each once.</summary>
    public void Ascending(int previous, int next)
    {
        if (next <= previous) _failed = true;
    }

    /// <summary>Fails the message for a reason of its own.</summary>
    public void Require(bool condition)
    {
        if (!condition) _failed = true;
    }

    private T Fail<T>()
        where T : struct
    {
        _failed = true;
        return default;
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (_failed || length > _rest.Length)
        {
            _failed = true;
            return [];
        }

        var field = _rest[..length];
        _rest = _rest[length..];
        return field;
    }
}
