using System.Buffers.Binary;
using FedSeg.Dicom.CharacterSets;
using FedSeg.Dicom.DataSets;

namespace FedSeg.Dicom.Reading;

/// <summary>
/// Walks data elements, PS3.5 §7. Long values and fragments are only measured and passed over. With <paramref name="headerOnly"/> the walk stops at the
/// pixel data, and everything it keeps is in memory, so that the source may be closed afterwards.
/// </summary>
internal sealed class DataSetParser(ByteSource source, DicomLimits limits, bool headerOnly)
{
    private const uint UndefinedLength = 0xFFFFFFFF;
    private const int LongestLoadedValue = 64 * 1024;
    private const int ElementsBetweenTimeChecks = 4096;

    private readonly List<DicomTag> _tagPath = [];
    private readonly TimeLimit _time = new(limits, limits.MaxParseTime, nameof(DicomLimits.MaxParseTime), source.Path);
    private int _elements;
    private long _loadedBytes;
    private bool _reachedPixelData;

    /// <summary>Where the walk stands.</summary>
    public long Position { get; set; }

    /// <summary>Reads the file meta group (0002,xxxx), always Explicit VR Little Endian, and stands at the data set's first tag afterwards.</summary>
    public DataSet ParseFileMeta()
    {
        var meta = new DataSet(source.Path, bigEndian: false, CharacterSet.Default);
        var encoding = new ElementEncoding(Explicit: true, BigEndian: false);
        while (Position + 2 <= source.Length && BinaryPrimitives.ReadUInt16LittleEndian(Bytes(Position, 2)) == 2)
        {
            ParseElement(meta, source.Length, encoding);
        }

        meta.Seal();
        return meta;
    }

    /// <summary>Reads elements to the end of the file, or to the pixel data where asked to stop there.</summary>
    public DataSet ParseDataSet(ElementEncoding encoding)
    {
        var set = new DataSet(source.Path, encoding.BigEndian, CharacterSet.Default);
        while (Position < source.Length && !_reachedPixelData)
        {
            ParseElement(set, source.Length, encoding);
        }

        set.Seal();
        return set;
    }

    private void ParseElement(DataSet set, long end, ElementEncoding encoding)
    {
        var start = Position;
        var tag = ReadTag(end, encoding);
        Count();
        if (tag.Group == 0xFFFE)
        {
            throw Malformed(start, $"the delimiter {tag} stands where an element should");
        }

        _tagPath.Add(tag);
        var (vr, length) = ReadVrAndLength(tag, end, encoding);
        if (headerOnly && _tagPath.Count == 1 && tag == Tags.PixelData)
        {
            if (length != UndefinedLength && Position + length > end)
            {
                throw Malformed(start, $"the length {length} runs past the end of the file at byte {end}");
            }

            _reachedPixelData = true;
            _tagPath.RemoveAt(_tagPath.Count - 1);
            return;
        }

        if (ParseValue(set, start, tag, vr, length, end, encoding) is { } element)
        {
            set.Add(element);
        }

        _tagPath.RemoveAt(_tagPath.Count - 1);
    }

    /// <summary>The element, or <see langword="null"/> for one that a header reader leaves out because of its length.</summary>
    private DicomElement? ParseValue(DataSet set, long start, DicomTag tag, DicomVr vr, uint length, long end, ElementEncoding encoding)
    {
        if (length == UndefinedLength)
        {
            return vr switch
            {
                DicomVr.SQ => new(tag, vr, default, ParseItems(set, null, end, encoding), null, start),
                // A sequence whose representation the writer did not know is Implicit VR Little Endian inside, PS3.5 §6.2.2 note 3.
                DicomVr.UN => new(tag, DicomVr.SQ, default, ParseItems(set, null, end, ElementEncoding.Implicit), null, start),
                DicomVr.OB or DicomVr.OW => new(tag, vr, default, null, ParseFragments(end, encoding), start),
                _ => throw Malformed(start, $"an undefined length is not allowed for {vr}"),
            };
        }

        var valueEnd = Position + length;
        if (valueEnd > end)
        {
            throw Malformed(start, $"the length {length} runs past the end of its container at byte {end}");
        }

        if (vr == DicomVr.SQ)
        {
            return new(tag, vr, default, ParseItems(set, valueEnd, valueEnd, encoding), null, start);
        }

        var known = vr == DicomVr.UN && !encoding.BigEndian ? Tags.RepresentationOf(tag) : vr;
        if (known == DicomVr.SQ)
        {
            return new(tag, known, default, ParseItems(set, valueEnd, valueEnd, ElementEncoding.Implicit), null, start);
        }

        var position = Position;
        Position = valueEnd;
        if (length > (headerOnly ? limits.MaxHeaderValueBytes : LongestLoadedValue))
        {
            return headerOnly ? null : new(tag, known, new DicomBytes(source, position, length), null, null, start);
        }

        _loadedBytes += length;
        return _loadedBytes <= limits.MaxLoadedBytes
            ? new(tag, known, new DicomBytes(source.Slice(position, (int)length)), null, null, start)
            : throw Exceeded($"its values have more than {limits.MaxLoadedBytes} bytes", nameof(DicomLimits.MaxLoadedBytes));
    }

    /// <summary>Items up to <paramref name="sequenceEnd"/>, or up to the sequence delimiter where that is <see langword="null"/>.</summary>
    private List<DataSet> ParseItems(DataSet parent, long? sequenceEnd, long containerEnd, ElementEncoding encoding)
    {
        if (_tagPath.Count > limits.MaxDepth)
        {
            throw Exceeded($"sequences are nested deeper than {limits.MaxDepth}", nameof(DicomLimits.MaxDepth));
        }

        var items = new List<DataSet>();
        while (sequenceEnd is null || Position < sequenceEnd)
        {
            var start = Position;
            var tag = ReadTag(containerEnd, encoding);
            var length = ReadUInt32(containerEnd, encoding);
            Count();
            if (tag == Tags.SequenceDelimitation && sequenceEnd is null)
            {
                return items;
            }

            if (tag != Tags.Item)
            {
                throw Malformed(start, $"{tag} stands where an item should");
            }

            items.Add(ParseItem(parent, start, length, containerEnd, encoding));
        }

        return items;
    }

    private DataSet ParseItem(DataSet parent, long start, uint length, long containerEnd, ElementEncoding encoding)
    {
        var item = new DataSet(source.Path, encoding.BigEndian, parent.CharacterSet);
        if (length != UndefinedLength)
        {
            var itemEnd = Position + length;
            if (itemEnd > containerEnd)
            {
                throw Malformed(start, $"the item's length {length} runs past the end of its sequence at byte {containerEnd}");
            }

            while (Position < itemEnd)
            {
                ParseElement(item, itemEnd, encoding);
            }

            item.Seal();
            return item;
        }

        while (!AtItemDelimiter(containerEnd, encoding))
        {
            ParseElement(item, containerEnd, encoding);
        }

        item.Seal();
        return item;
    }

    private bool AtItemDelimiter(long end, ElementEncoding encoding)
    {
        var start = Position;
        if (ReadTag(end, encoding) != Tags.ItemDelimitation)
        {
            Position = start;
            return false;
        }

        ReadUInt32(end, encoding);
        return true;
    }

    private EncapsulatedValue ParseFragments(long end, ElementEncoding encoding)
    {
        DicomBytes? offsetTable = null;
        var fragments = new List<DicomBytes>();
        Span<byte> header = stackalloc byte[8];
        while (true)
        {
            var start = Position;
            var (tag, length) = ReadFragmentHeader(header, end, encoding);
            if (tag == Tags.SequenceDelimitation)
            {
                return new(offsetTable ?? default, fragments);
            }

            if (tag != Tags.Item || Position + length > end)
            {
                throw Malformed(start, "a fragment of the pixel data has a wrong tag or runs past the end");
            }

            if (fragments.Count == limits.MaxFragments)
            {
                throw Exceeded($"pixel data have more than {limits.MaxFragments} fragments", nameof(DicomLimits.MaxFragments));
            }

            var bytes = new DicomBytes(source, Position, length);
            Position += length;
            CheckTime(fragments.Count);
            if (offsetTable is null)
            {
                offsetTable = bytes;
            }
            else
            {
                fragments.Add(bytes);
            }
        }
    }

    /// <summary>Eight bytes straight from the file: between long fragments a window of its own for each header would be waste.</summary>
    private (DicomTag Tag, uint Length) ReadFragmentHeader(Span<byte> header, long end, ElementEncoding encoding)
    {
        Need(Position, header.Length, end);
        source.Read(Position, header);
        Position += header.Length;
        return (TagOf(header, encoding), UInt32Of(header[4..], encoding));
    }

    private (DicomVr Vr, uint Length) ReadVrAndLength(DicomTag tag, long end, ElementEncoding encoding)
    {
        if (!encoding.Explicit)
        {
            var length = ReadUInt32(end, encoding);
            var known = Tags.RepresentationOf(tag);
            return length == UndefinedLength && known == DicomVr.UN ? (DicomVr.SQ, length) : (known, length);
        }

        Need(Position, 4, end);
        var bytes = Bytes(Position, 4);
        if (!char.IsAsciiLetterUpper((char)bytes[0]) || !char.IsAsciiLetterUpper((char)bytes[1]))
        {
            throw Malformed(Position, "the value representation is not two capital letters");
        }

        var vr = (DicomVr)BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (vr.HasShortLength())
        {
            Position += 4;
            return (vr, encoding.BigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) : BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]));
        }

        Position += 4;
        return (vr.IsKnown() ? vr : DicomVr.UN, ReadUInt32(end, encoding));
    }

    private DicomTag ReadTag(long end, ElementEncoding encoding)
    {
        Need(Position, 4, end);
        var tag = TagOf(Bytes(Position, 4), encoding);
        Position += 4;
        return tag;
    }

    private uint ReadUInt32(long end, ElementEncoding encoding)
    {
        Need(Position, 4, end);
        var value = UInt32Of(Bytes(Position, 4), encoding);
        Position += 4;
        return value;
    }

    private static DicomTag TagOf(ReadOnlySpan<byte> bytes, ElementEncoding encoding) => encoding.BigEndian
        ? new(BinaryPrimitives.ReadUInt16BigEndian(bytes), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]))
        : new(BinaryPrimitives.ReadUInt16LittleEndian(bytes), BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]));

    private static uint UInt32Of(ReadOnlySpan<byte> bytes, ElementEncoding encoding) =>
        encoding.BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private void Need(long position, int count, long end)
    {
        if (position + count > end)
        {
            throw Malformed(position, "the file or its container ends inside an element");
        }
    }

    private ReadOnlySpan<byte> Bytes(long position, int count) => source.Slice(position, count).Span;

    private void Count()
    {
        if (++_elements > limits.MaxElements)
        {
            throw Exceeded($"more than {limits.MaxElements} elements", nameof(DicomLimits.MaxElements));
        }

        CheckTime(_elements);
    }

    private void CheckTime(int count)
    {
        if (count % ElementsBetweenTimeChecks == 0)
        {
            _time.Check();
        }
    }

    private DicomException Malformed(long offset, string problem) =>
        new(DicomFault.Malformed, $"{source.Path}: at byte {offset}{Where()}: {problem}. The file is truncated or corrupt; fetch it again.");

    private DicomException Exceeded(string problem, string limit) =>
        new(DicomFault.LimitExceeded, $"{source.Path}: at byte {Position}{Where()}: {problem}. If the file is genuine, raise {limit}.");

    private string Where() => _tagPath.Count == 0 ? "" : " in " + string.Join(" > ", _tagPath.Take(8));
}

/// <summary>How elements are laid out.</summary>
internal readonly record struct ElementEncoding(bool Explicit, bool BigEndian)
{
    public static readonly ElementEncoding Implicit = new(false, false);
}
